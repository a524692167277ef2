// Arguments are checked here, where their names are known, and not first by a server that sees only a token or a path.
import { RoomfulError } from "../error.ts";

/** Throws `invalid_argument` unless `fits`. */
export function check(fits: unknown, name: string, rule: string): asserts fits {
  if (!fits) throw new RoomfulError("invalid_argument", `\`${name}\` must be ${rule}`);
}

/** Whether a value is text of this shape. A missing one must not pass as "undefined". */
export const matches = (value: unknown, shape: RegExp): value is string =>
  typeof value === "string" && shape.test(value);

/**
 * Whether a value is the name of one room, without wildcard (N1). `.` and `..` are names, too, but every URL parser
 * takes them for path segments.
 */
export const isRoom = (value: unknown): value is string => matches(value, /^(?!\.\.?$)[\w.:~@-]{1,128}$/);
