// Tokens: T1 and T2 of docs/protocol.md.
import type { InfoOf, RoomTypes } from "../types.ts";
import type { Right } from "../wire.ts";
import { check, matches } from "./argument.ts";

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

const USER = /^[^\p{Cc}\p{Cs}]{1,128}$/u;
const ROOMS = /^(?=.)[\w.:~@-]{0,128}\*?$/;
const RIGHT = /^(subscribe|publish|presence|history|admin)$/;

/**
 * Mints a token (a JWT with HS256).
 *
 * ```ts
 * const token = await createToken({
 *   secret: process.env.ROOMFUL_SECRETS!,
 *   user: "ana",
 *   room: ["lobby", "team-7:*"],
 *   info: { name: "Ana" },
 * });
 * ```
 *
 * @throws {RoomfulError} as rejection: `invalid_argument`, with the name of the argument
 */
export async function createToken<T extends RoomTypes = RoomTypes>(options: TokenOptions<T>): Promise<string> {
  const { secret, user, room, can, info = {}, expiresIn = 600, issuer, audience, now = Date.now() } = options;
  const { kid, key } = signer(secret);
  const all = (list: unknown, shape: RegExp) => Array.isArray(list) && list.every((entry) => matches(entry, shape));
  check(matches(user, USER), "user", "1 to 128 characters");
  check(room?.length && all([room].flat(), ROOMS), "room", "names of rooms");
  check(can === undefined || all(can, RIGHT), "can", "a list of rights");
  const json = JSON.stringify(info);
  check(json[0] === "{" && utf8(json).length <= 2_048, "info", "an object of at most 2048 bytes");
  check(Number.isFinite(expiresIn) && expiresIn > 0, "expiresIn", "a number of seconds");

  const header = { alg: "HS256", typ: "JWT", kid };
  const exp = Math.floor(now / 1_000 + expiresIn);
  const claims = { sub: user, exp, room, can, info: options.info, iss: issuer, aud: audience };
  const input = [header, claims].map((part) => base64url(utf8(JSON.stringify(part)))).join(".");
  // Taking a key in costs some microseconds, so none is kept.
  const { subtle } = crypto;
  const hmac = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return `${input}.${base64url(new Uint8Array(await subtle.sign("HMAC", hmac, utf8(input))))}`;
}

/** The first entry of a list of secrets, read as the Worker does (T1). */
function signer(secrets: unknown) {
  const entries = `${secrets ?? ""}`.split(",").map((entry) => entry.trim());
  const [, kid, secret] = /^(?:([\w-]{1,32}):)?(.*)$/s.exec(entries.find(Boolean) ?? "")!;
  const key = utf8(secret!);
  check(key.length >= 32, "secret", "an entry of ROOMFUL_SECRETS, at least 32 bytes");
  return { kid, key };
}

const utf8 = (text: string) => new TextEncoder().encode(text);

const base64url = (bytes: Uint8Array) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
