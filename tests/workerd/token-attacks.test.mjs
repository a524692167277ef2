// Tokens made by somebody who knows everything but a secret.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { freshRoom, get, join, open } from "./client.mjs";
import { serveKeys } from "./keys.mjs";
import { SECRET, startServer } from "./server.mjs";
import { assemble, keyPair, mint, seconds } from "./token.mjs";

const claims = { sub: "eve", room: "*", can: ["admin"], aud: "app" };
const pairs = ["ES256", "EdDSA", "RS256"].map((alg) => keyPair(alg, `k-${alg}`));
const issuer = await serveKeys(test, pairs);
const server = await startServer(test, {
  vars: { ROOMFUL_SECRETS: `new:${SECRET}`, ROOMFUL_JWKS_URL: issuer.url, ROOMFUL_AUDIENCE: "app" },
});

/** Status and code with which the Worker answers a token, over HTTP and, if it is refused, over a WebSocket too. */
async function verdict(token) {
  const { status, body } = await get(server, "/room/lobby/presence", { token });
  if (status === 200) return 200;
  const browser = await open(server, "lobby", { token: null, query: { token } });
  assert.equal((await browser.end()).code, body.error.code === "token_expired" ? 4001 : 4000);
  return `${status} ${body.error.code}`;
}

const REFUSED = "401 invalid_token";

test("t1 a published key in whatever form is no secret, whatever the kid says", async () => {
  for (const { jwk } of pairs) {
    const { createPublicKey } = await import("node:crypto");
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const forms = [
      key.export({ type: "spki", format: "pem" }),
      key.export({ type: "spki", format: "pem" }).trim(),
      key.export({ type: "spki", format: "der" }),
      JSON.stringify(jwk),
      jwk.x ?? jwk.n,
      Buffer.from(jwk.x ?? jwk.n, "base64url"),
    ];
    for (const secret of forms) {
      for (const kid of [jwk.kid, "new", undefined]) {
        assert.equal(await verdict(mint(claims, { secret, header: { kid } })), REFUSED, `${jwk.kty} ${kid}`);
      }
    }
  }
});

test("t1 an algorithm that does not belong to the key, or to none, is refused", async () => {
  const [ec, ed, rsa] = pairs;
  const nothing = () => Buffer.alloc(0);
  const zeros = (count) => () => Buffer.alloc(count);
  const tokens = [
    ...["none", "None", "NONE", "nOnE", "", " none", "none\0"].map((alg) => assemble({ alg }, claims, nothing)),
    ...["HS256 ", "hs256", "HS384", "HS512", "ES384", "PS256", "RS1", "EdDSA\n"].map((alg) => mint(claims, { header: { alg } })),
    ...[7, null, true, ["HS256"], { HS256: 1 }, undefined].map((alg) => mint(claims, { header: { alg } })),
    ec.mint(claims, { alg: "EdDSA", kid: "k-EdDSA" }),
    ed.mint(claims, { alg: "ES256", kid: "k-ES256" }),
    rsa.mint(claims, { alg: "HS256", kid: "new" }),
    ec.mint(claims, { kid: "k-RS256" }),
    // Signatures that some libraries take: all zeros, of no length.
    assemble({ alg: "ES256", kid: "k-ES256" }, claims, zeros(64)),
    assemble({ alg: "EdDSA", kid: "k-EdDSA" }, claims, zeros(64)),
    assemble({ alg: "RS256", kid: "k-RS256" }, claims, zeros(256)),
    assemble({ alg: "ES256", kid: "k-ES256" }, claims, nothing),
    assemble({ alg: "HS256" }, claims, nothing),
    assemble({ alg: "HS256" }, claims, zeros(32)),
    assemble({ alg: "HS256" }, claims, (input) => createHmac("sha256", "").update(input).digest()),
  ];
  for (const token of tokens) assert.equal(await verdict(token), REFUSED, token.slice(0, 80));
});

test("t1 a kid is a name and nothing else, and what a header brings along is not looked at", async () => {
  const before = issuer.fetches;
  const began = Date.now();
  const attacker = await serveKeys(test, [keyPair("ES256", "k-ES256")]);
  const kids = [
    "../../../../dev/null",
    "/proc/self/environ",
    "file:///dev/null",
    attacker.url,
    "' OR '1'='1",
    "new' UNION SELECT 'x' -- ",
    "$(id)",
    "",
    "NEW",
    "new ",
    "new\0",
    "__proto__",
    "constructor",
    "k".repeat(256),
    "k".repeat(257),
    "k".repeat(5_000),
    7,
    null,
    true,
    [],
    ["new"],
    {},
    { new: 1 },
  ];
  for (const kid of kids) {
    // An attacker would sign with what the kid makes the server read: nothing, or the kid itself.
    for (const secret of ["", String(kid), SECRET.slice(1)]) {
      assert.equal(await verdict(mint(claims, { secret, header: { kid } })), REFUSED, JSON.stringify(kid)?.slice(0, 60));
    }
    assert.equal(await verdict(pairs[0].mint(claims, { kid })), REFUSED, JSON.stringify(kid)?.slice(0, 60));
  }
  const [own] = attacker.keys;
  for (const header of [{ jwk: own.jwk }, { jku: attacker.url }, { x5u: attacker.url, x5c: ["AA=="] }]) {
    assert.equal(await verdict(own.mint(claims, header)), REFUSED);
    assert.equal(await verdict(own.mint(claims, { ...header, kid: undefined })), REFUSED);
  }
  assert.equal(attacker.fetches, 0);
  // One in 30 seconds may.
  const most = before + 1 + (Date.now() - began) / 30_000;
  assert.ok(issuer.fetches <= most, `made-up kids made the Worker fetch ${issuer.fetches - before} times`);
  const twice = (header) => Buffer.from(header).toString("base64url");
  const payload = mint(claims).split(".")[1];
  for (const header of [
    '{"alg":"HS256","kid":"old","kid":"new"}',
    '{"alg":"none","alg":"HS256"}',
    '{"alg":"HS256","\\u0061lg":"none"}',
    '{"alg":"HS256","crit":[]}',
    '{"alg":"HS256","b64":false,"crit":["b64"]}',
    '["HS256"]',
    '{"alg":"HS256"} ',
  ]) {
    const input = `${twice(header)}.${payload}`;
    const token = `${input}.${createHmac("sha256", SECRET).update(input).digest("base64url")}`;
    // Space around JSON is JSON; all else is refused although the signature is right.
    assert.equal(await verdict(token), header.endsWith(" ") ? 200 : REFUSED, header);
  }
});

test("t1 a token has one spelling: nothing is stripped, padded or decoded a second time", async () => {
  const token = mint(claims);
  const [header, payload, signature] = token.split(".");
  assert.equal(await verdict(token), 200);
  const spellings = [
    `${header}.${payload}.${signature}=`,
    `${header}=.${payload}.${signature}`,
    `${token}.`,
    `.${token}`,
    `${token}.${signature}`,
    `${header}..${payload}.${signature}`,
    `${header}.${payload}.${signature.replace(/^./, "+")}`,
    `${header}.${payload}.${signature} x`,
    `${header}.${payload}.${signature}\u00e9`,
    token.replace(".", "%2E"),
    `${header}.${payload}.${signature.toUpperCase()}`,
    // The last character has bits that count for nothing.
    token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1),
  ];
  for (const spelling of spellings) {
    // A URL's token is taken as it stands, without decoding, so what only an escape could say has to come in a header too.
    const query = { path: `/room/lobby/presence?token=${encodeURIComponent(spelling)}`, token: null };
    for (const { path, token } of [query, { path: "/room/lobby/presence", token: spelling }]) {
      assert.equal((await get(server, path, { token })).status, 401, spelling.slice(-60));
    }
  }
});

test("t2 clocks may differ by 5 seconds, and no number makes a token endless", async () => {
  // Each at the time when it is asked with: leeway is short where much else is to be done.
  for (const [times, expected] of [
    [() => ({ exp: seconds(60), nbf: seconds(4) }), 200],
    [() => ({ exp: seconds(-1) }), 200],
    [() => ({ exp: seconds(-8) }), "401 token_expired"],
    [() => ({ exp: seconds(600), nbf: seconds(60) }), REFUSED],
    [() => ({ exp: 0 }), "401 token_expired"],
    [() => ({ exp: -1 }), REFUSED],
    [() => ({ exp: "9999999999" }), REFUSED],
    [() => ({ exp: null }), REFUSED],
    [() => ({ exp: [seconds(60)] }), REFUSED],
    [() => ({ exp: true }), REFUSED],
    // An `iat` of the future says that a clock is wrong, and decides nothing.
    [() => ({ exp: seconds(60), iat: seconds(3_600) }), 200],
  ]) {
    const token = mint({ ...claims, ...times() });
    assert.equal(await verdict(token), expected, JSON.stringify(times()));
  }
  const raw = (exp) => {
    const parts = ['{"alg":"HS256"}', `{"sub":"eve","room":"*","aud":"app","exp":${exp}}`];
    const input = parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
    return `${input}.${createHmac("sha256", SECRET).update(input).digest("base64url")}`;
  };
  for (const exp of ["NaN", "Infinity", "1e999", "-1e999", '1,"exp":2']) {
    assert.equal(await verdict(raw(exp)), REFUSED, exp);
  }
  const { welcome } = await join(server, freshRoom(), { token: raw("1e300") });
  assert.ok(Number.isSafeInteger(welcome.expires_in), "the last moment of JavaScript's calendar at most");
});
