"use server";
import { redirect } from "next/navigation";
import { LONGEST_NAME } from "@/realtime/person";
import { signIn, signOut } from "@/server/session";
import { wayBack } from "./way-back";

export async function enter(form: FormData): Promise<void> {
  const name = String(form.get("name") ?? "")
    .replace(/[\p{C}~\s]+/gu, " ")
    .trim()
    .slice(0, LONGEST_NAME);
  if (!name) redirect("/sign-in");
  await signIn(name);
  redirect(wayBack(String(form.get("next") ?? "")));
}

export async function leave(): Promise<void> {
  await signOut();
  redirect("/sign-in");
}
