"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { leave } from "@/app/sign-in/actions";
import { Avatar } from "./avatar";
import { Brand } from "./brand";
import styles from "./header.module.css";

export function Header({ person }: { person: { id: string; name: string } }) {
  const path = usePathname();
  const current = (href: string) => (path === href ? "page" : undefined);
  return (
    <header className={styles.header}>
      <Link href="/" className={styles.home} aria-current={current("/")}>
        <Brand />
      </Link>
      <nav>
        <Link href="/dashboard" className={styles.link} aria-current={current("/dashboard")}>
          Dashboard
        </Link>
      </nav>
      <span className={styles.person}>
        <Avatar id={person.id} name={person.name} />
        <span className="cut">{person.name}</span>
      </span>
      <form action={leave}>
        <button className={`button quiet ${styles.leave}`}>Sign out</button>
      </form>
    </header>
  );
}
