// Who is signed in. A demo: whoever types a name is that person. Put your own sign-in in the place of this file; the
// rest of the app asks for `signedIn()` alone.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { personId } from "@/realtime/person";
import { environment } from "./environment";

export interface Person {
  readonly id: string;
  readonly name: string;
}

const COOKIE = "session";
const SECONDS = 7 * 24 * 3_600;

export async function signedIn(): Promise<Person | null> {
  const [payload, signature] = (await cookies()).get(COOKIE)?.value.split(".") ?? [];
  if (!payload || !signature || !isSame(signature, sign(payload))) return null;
  // It carries our signature, so it is what `signIn` wrote.
  const { id, name, until } = JSON.parse(Buffer.from(payload, "base64url").toString()) as Person & { until: number };
  return Date.now() < until ? { id, name } : null;
}

/** For pages: whoever is not signed in is sent to do so, and then comes back. */
export async function requirePerson(path: string): Promise<Person> {
  return (await signedIn()) ?? redirect(`/sign-in?next=${encodeURIComponent(path)}`);
}

export async function signIn(name: string): Promise<void> {
  const person = { id: personId(name, randomBytes(6).toString("base64url")), name };
  const payload = Buffer.from(JSON.stringify({ ...person, until: Date.now() + SECONDS * 1_000 })).toString("base64url");
  (await cookies()).set(COOKIE, `${payload}.${sign(payload)}`, {
    httpOnly: true,
    sameSite: "lax",
    secure: (await headers()).get("x-forwarded-proto") === "https",
    maxAge: SECONDS,
    path: "/",
  });
}

export async function signOut(): Promise<void> {
  (await cookies()).delete(COOKIE);
}

/** The demo's rule for who may remove people: everybody. Look into your database here. */
export const mayRemove = (_person: Person, _room: string): boolean => true;

// The label keeps a cookie from ever being taken for something else that the same secret signs, such as a token.
const sign = (payload: string) =>
  createHmac("sha256", environment("ROOMFUL_SECRET")).update(`session:${payload}`).digest("base64url");

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
