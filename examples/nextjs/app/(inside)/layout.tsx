import type { ReactNode } from "react";
import { Header } from "@/components/header";
import { Realtime } from "@/realtime/realtime";
import { environment } from "@/server/environment";
import { signedIn } from "@/server/session";

/**
 * What is around every page for people who signed in. It stays when they go from one to the next, and so does the
 * connection. The pages themselves send everybody else away, and know where they wanted to go.
 */
export default async function Inside({ children }: { children: ReactNode }) {
  const person = await signedIn();
  if (!person) return children;
  return (
    <Realtime url={environment("NEXT_PUBLIC_ROOMFUL_URL")}>
      <Header person={person} />
      {children}
    </Realtime>
  );
}
