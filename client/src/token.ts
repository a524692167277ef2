// Where tokens come from.
import { RoomfulError } from "./error.ts";
import type { ClientOptions } from "./types.ts";

/** Asks for a token; rejects with a `RoomfulError`. */
export type FetchToken = () => Promise<string>;

/** What fetches tokens for a room, or `undefined` if the options name no source. */
export function tokenSource({ token, authEndpoint }: ClientOptions, room: string): FetchToken | undefined {
  if (!token && !authEndpoint) return undefined;
  return async () => {
    let cause: unknown;
    try {
      const found = typeof token === "function" ? await token({ room }) : (token ?? (await ask(authEndpoint!, room)));
      if (found) return found;
    } catch (error) {
      if (error instanceof RoomfulError) throw error;
      cause = error;
    }
    throw new RoomfulError("auth_failed", `No token: ${cause}`, { retryable: true, cause });
  };
}

async function ask(endpoint: string | URL, room: string): Promise<string | undefined> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ room }),
  });
  if (response.ok) return (await response.json()).token;
  const { status } = response;
  throw new RoomfulError("auth_failed", `No token: ${endpoint} (${status})`, {
    // Below, another time will be no better.
    retryable: status > 403,
  });
}
