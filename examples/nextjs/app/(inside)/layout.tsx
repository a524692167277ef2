import type { ReactNode } from "react";
import { Header } from "@/components/header";
import { signedIn } from "@/server/session";

/**
 * What is around every page for people who signed in. The pages themselves send everybody else away: they know where
 * people wanted to go.
 */
export default async function Inside({ children }: { children: ReactNode }) {
  const person = await signedIn();
  return (
    <>
      {person && <Header person={person} />}
      {children}
    </>
  );
}
