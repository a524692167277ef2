// What a room says, as the tests let it.
import type { Published, Welcome, WireMember } from "../../src/wire.ts";

export const NOW = 1_767_225_600_000;
export const RIGHTS = ["subscribe", "publish", "presence", "history"] as const;

export const member = (connection: string, parts: Partial<WireMember> & { name?: string } = {}): WireMember => {
  const { name = `user-${connection}`, ...rest } = parts;
  // The tests call members 1, 2, 3 …, in which order they also came.
  return { connection, user: { id: name, info: {} }, state: null, at: NOW + Number(connection), ...rest };
};

export const OWN = member("1", { name: "ana" });

export const welcome = (parts: Partial<Welcome> = {}): Welcome => ({
  type: "welcome",
  protocol: 1,
  room: "lobby",
  connection: "1",
  session: "1.0.secret",
  user: { id: "ana", info: {} },
  can: RIGHTS,
  expires_in: null,
  epoch: "e1",
  offset: 0,
  recovered: null,
  members: [OWN],
  occupancy: { connections: 1, users: 1 },
  ping: 25_000,
  limits: { message_bytes: 65_536, state_bytes: 4_096, rate_per_second: 100 },
  ...parts,
});

/** A welcome without members, as in a crowded room. */
export function unlisted(parts: Partial<Welcome> = {}): Welcome {
  const { members, ...rest } = welcome(parts);
  return rest;
}

export const stored = (offset: number, data: unknown = offset, event = "chat"): Published => ({
  type: "message",
  event,
  data,
  from: "2",
  user: "bob",
  offset,
  at: NOW,
});

/** The error that a message gets, or a connection. */
export const refusal = (id: string | undefined, code: string, retryable: boolean, retry_after?: number) => ({
  type: "error",
  ...(id && { id }),
  code,
  message: `It is ${code}.`,
  retryable,
  hint: "Do.",
  ...(retry_after && { retry_after }),
});
