// What comes from outside. Little is checked here, for the Worker checks everything: only what it would not see (an
// undefined user is no field in JSON), or what would lead elsewhere.
import { RoomfulError } from "../error.ts";
import type { ErrorCode } from "../error.ts";

/** Throws unless `fits`. */
export function check(fits: unknown, message: string, code: ErrorCode = "invalid_argument"): asserts fits {
  if (!fits) throw new RoomfulError(code, message);
}

/**
 * Whether a value is the name of one room, without wildcard (N1). `.` and `..` are names, too, but every URL parser
 * takes them for path segments.
 */
export const isRoom = (value: unknown): value is string =>
  typeof value === "string" && /^(?!\.\.?$)[\w.:~@-]{1,128}$/.test(value);

/** What a body says; `null` if it is no JSON. */
export const json = (body: Request | Response) => body.json().catch(() => null);
