import Link from "next/link";
import styles from "./not-found.module.css";

export default function NotFound() {
  return (
    <main className={styles.page}>
      <h1>There is no such page</h1>
      <p>A room’s name has letters, digits and hyphens: at most forty of them.</p>
      <Link className="button strong" href="/">
        To the rooms
      </Link>
    </main>
  );
}
