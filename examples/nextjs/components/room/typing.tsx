"use client";
import { useOthers } from "@/realtime/context";
import styles from "./typing.module.css";

/** Who is writing, in a line that is always there. */
export function Typing({ me }: { me: string }) {
  const people = useOthers((others) => [
    ...new Map(
      others
        .filter(({ user, state }) => user.id !== me && state?.typing)
        .map(({ user }) => [user.id, user.info.name]),
    ).values(),
  ]);
  return (
    <p className={`cut ${styles.typing}`} data-testid="typing">
      {sentence(people)}
    </p>
  );
}

function sentence([first, second, ...more]: readonly string[]): string {
  if (!first) return "";
  if (!second) return `${first} is typing …`;
  if (!more.length) return `${first} and ${second} are typing …`;
  return "Several people are typing …";
}
