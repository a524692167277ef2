import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { Brand } from "@/components/brand";
import { LONGEST_NAME } from "@/realtime/person";
import { signedIn } from "@/server/session";
import { enter } from "./actions";
import styles from "./page.module.css";

export const metadata: Metadata = { title: "Sign in" };

export default async function SignIn({ searchParams }: { searchParams: Promise<{ next?: string | string[] }> }) {
  const { next } = await searchParams;
  if (await signedIn()) redirect("/");
  return (
    <main className={styles.page}>
      <form action={enter} className={styles.card}>
        <Brand />
        <div>
          <h1>What shall we call you?</h1>
          <p>A name is all it takes. The others will see it.</p>
        </div>
        <label htmlFor="name">Your name</label>
        <input
          className="field"
          id="name"
          name="name"
          autoComplete="nickname"
          maxLength={LONGEST_NAME}
          required
          autoFocus
        />
        <input type="hidden" name="next" value={typeof next === "string" ? next : "/"} />
        <button className="button strong">Sign in</button>
      </form>
    </main>
  );
}
