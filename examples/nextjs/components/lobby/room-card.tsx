import Link from "next/link";
import { AvatarStack } from "../avatar";
import styles from "./lobby.module.css";
import type { Somebody } from "./whereabouts";

interface Props {
  name: string;
  about: string;
  /** `null` while nobody knows. */
  people: readonly Somebody[] | null;
}

export function RoomCard({ name, about, people }: Props) {
  return (
    <li>
      <Link href={`/room/${name}`} className={styles.card}>
        <strong className="cut">{name}</strong>
        <span className={styles.about}>{about}</span>
        <span className={styles.people}>
          {people && <AvatarStack people={people} />}
          <span data-testid={`count ${name}`}>{people && count(people.length)}</span>
        </span>
      </Link>
    </li>
  );
}

const count = (people: number) => (people === 0 ? "Nobody here yet" : `${people} here`);
