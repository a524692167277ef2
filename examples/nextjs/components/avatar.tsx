import type { CSSProperties } from "react";
import { hueOf, initialsOf } from "@/realtime/person";
import styles from "./avatar.module.css";

/** What sets a person's colour for an element with the class `tinted`. */
export const tint = (id: string) => ({ "--hue": hueOf(id) }) as CSSProperties;

/** A person at a glance. The name stands beside it, or in the title. */
export function Avatar({ id, name }: { id: string; name: string }) {
  return (
    <span className={`tinted ${styles.avatar}`} style={tint(id)} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}

/** Some people in a space that is always the same. */
export function AvatarStack({ people, most = 4 }: { people: readonly { id: string; name: string }[]; most?: number }) {
  const shown = people.length > most ? people.slice(0, most - 1) : people;
  return (
    <span className={styles.stack} aria-hidden="true">
      {shown.map(({ id, name }) => (
        <span key={id} title={name}>
          <Avatar id={id} name={name} />
        </span>
      ))}
      {people.length > shown.length && <span className={`${styles.avatar} ${styles.more}`}>+{people.length - shown.length}</span>}
    </span>
  );
}
