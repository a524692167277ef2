// What the tests of the hooks have in common.
import { createElement as h } from "react";
import type { ReactNode } from "react";
import type { Client } from "../../../src/index.ts";
import { RoomProvider, RoomfulProvider } from "../../../src/react.ts";
import { member } from "../../unit/fake.ts";

/** A room's provider with a client's around it. */
export const inside = (client: Client, children: ReactNode, options: object = {}) =>
  h(RoomfulProvider, { client }, h(RoomProvider, { id: "lobby", ...options }, children));

export const bob = member("2", { name: "bob" });
export const eve = member("3", { name: "eve" });
