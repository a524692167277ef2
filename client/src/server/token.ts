// Tokens: T1 and T2 of docs/protocol.md.
import type { InfoOf, RoomTypes } from "../types.ts";
import type { Right } from "../wire.ts";
import { check } from "./argument.ts";

/** What a token says, and what signs it. */
export interface TokenOptions<T extends RoomTypes = RoomTypes> {
  /**
   * The Worker's `ROOMFUL_SECRETS` or one entry of it, `secret` or `kid:secret`. Of several entries the first signs,
   * so to change the secret put the new one in front of the old one, first at the Worker and then here.
   */
  secret: string;
  /** Who the bearer is: 1 to 128 characters, none of them a control character. */
  user: string;
  /** The rooms that the token reaches, at most 100; `team-7:*` stands for all names that begin with `team-7:`. */
  room: string | readonly string[];
  /** What the bearer may do there. Default: `subscribe`, `publish`, `presence` and `history`. */
  can?: readonly Right[] | undefined;
  /** What the others see of the user: an object with at most 2,048 bytes of JSON. */
  info?: InfoOf<T> | undefined;
  /** For how many seconds the token holds. Default: 600. */
  expiresIn?: number | undefined;
  /** The `iss`, if the Worker has `ROOMFUL_ISSUER`. */
  issuer?: string | undefined;
  /** The `aud`, if the Worker has `ROOMFUL_AUDIENCE`. */
  audience?: string | readonly string[] | undefined;
  /** From when on it holds, in milliseconds since the Unix epoch. Default: now. */
  now?: number | undefined;
}

/**
 * Mints a token (a JWT with HS256).
 *
 * ```ts
 * const token = await createToken({
 *   secret: process.env.ROOMFUL_SECRET!,
 *   user: "ana",
 *   room: ["lobby", "team-7:*"],
 *   info: { name: "Ana" },
 * });
 * ```
 *
 * The rest is the Worker's to check: a token that it cannot mean is refused when it is used (`invalid_token`).
 *
 * @throws {RoomfulError} as rejection: `invalid_argument` if `secret` is too short, or `user` or `room` is empty
 */
export async function createToken<T extends RoomTypes = RoomTypes>({
  secret,
  user,
  room,
  can,
  info,
  expiresIn = 600,
  issuer,
  audience,
  now = Date.now(),
}: TokenOptions<T>): Promise<string> {
  // The first entry of a list, read as the Worker does (T1).
  const [, kid, text] = /^[\s,]*(?:([\w-]{1,32}):)?([^,]*[^\s,]|)/.exec(secret)!;
  const key = utf8(text!);
  check(key.length >= 32, "`secret` (ROOMFUL_SECRETS) is under 32 bytes");
  check(user && room?.[0], "Empty `user` or `room`");
  const exp = Math.floor(now / 1_000 + expiresIn);
  const input = [
    { alg: "HS256", typ: "JWT", kid },
    { sub: user, exp, room, can, info, iss: issuer, aud: audience },
  ]
    .map((part) => base64url(utf8(JSON.stringify(part))))
    .join(".");
  // Taking a key in costs some microseconds, so none is kept.
  const hmac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return `${input}.${base64url(new Uint8Array(await crypto.subtle.sign("HMAC", hmac, utf8(input))))}`;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=/g, "");
