// What the server refuses, and why it closes.
import { RoomfulError } from "./error.ts";
import type { WireError } from "./wire.ts";

/** An error as the server told it. */
export function fromWire({ code, message, retryable, hint, retry_after }: WireError): RoomfulError {
  return new RoomfulError(code, message, { retryable, hint, retryAfter: retry_after });
}

/**
 * Why a socket to `url` was closed, by the code (E2). `cause` is the error with which the server announced it, if
 * there was one.
 */
export function closeError(url: string, code: number, reason: string, cause: WireError | undefined): RoomfulError {
  // No error comes before these.
  const name = ["replaced", "removed", "room_deleted"][code - 4504];
  if (!name && cause && code > 1006) return fromWire(cause);
  const message = reason || `No connection: ${url} (${code})`;
  return new RoomfulError(name ?? "connection_lost", message, { retryable: code < 4500 });
}
