"use server";
import { redirect } from "next/navigation";
import { LONGEST_NAME } from "@/realtime/person";
import { signIn, signOut } from "@/server/session";

export async function enter(form: FormData): Promise<void> {
  const name = String(form.get("name") ?? "")
    .replace(/[\p{C}~\s]+/gu, " ")
    .trim()
    .slice(0, LONGEST_NAME);
  if (!name) redirect("/sign-in");
  await signIn(name);
  const next = String(form.get("next") ?? "");
  // Only back into this app: `//elsewhere` is another site.
  redirect(/^\/(?![/\\])/.test(next) ? next : "/");
}

export async function leave(): Promise<void> {
  await signOut();
  redirect("/sign-in");
}
