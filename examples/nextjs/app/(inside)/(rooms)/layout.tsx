import type { ReactNode } from "react";
import { Realtime } from "@/realtime/realtime";
import { environment } from "@/server/environment";

/** The pages with a connection. The layout stays when people go from one of them to the next, and so does the connection. */
export default function Rooms({ children }: { children: ReactNode }) {
  return <Realtime url={environment("NEXT_PUBLIC_ROOMFUL_URL")}>{children}</Realtime>;
}
