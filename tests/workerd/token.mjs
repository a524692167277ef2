// Mints tokens as an application's own server would.
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { SECRET } from "./server.mjs";

const base64url = (value) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
export const seconds = (from = 0) => Math.floor(Date.now() / 1000) + from;

/** A token with HS256. `claims` are added to those that every token needs; `undefined` takes one away. */
export function mint(claims, { secret = SECRET, header = {} } = {}) {
  return assemble({ alg: "HS256", typ: "JWT", ...header }, claims, (input) =>
    createHmac("sha256", secret).update(input).digest(),
  );
}

/** Signs with whatever: for tokens that are wrong. */
export function assemble(header, claims, signature) {
  const input = `${base64url(header)}.${base64url({ exp: seconds(600), ...claims })}`;
  return `${input}.${signature(input).toString("base64url")}`;
}

const PAIRS = {
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
};

/** A key pair: `jwk` is what an issuer publishes, `mint` makes a token. */
export function keyPair(alg, kid) {
  const { publicKey, privateKey } = PAIRS[alg]();
  const jwk = { ...publicKey.export({ format: "jwk" }), alg, use: "sig", kid };
  const signature = (input) =>
    sign(alg === "EdDSA" ? null : "sha256", Buffer.from(input), {
      key: privateKey,
      // WebCrypto and JWS want the two numbers side by side.
      dsaEncoding: "ieee-p1363",
    });
  return { jwk, mint: (claims, header = {}) => assemble({ alg, kid, ...header }, claims, signature) };
}
