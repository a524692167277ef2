import assert from "node:assert/strict";
import { test } from "node:test";
import { get, join, open } from "./client.mjs";
import { serveKeys } from "./keys.mjs";
import { SECRET, startServer } from "./server.mjs";
import { assemble, keyPair, mint } from "./token.mjs";

const claims = { sub: "ana", room: "lobby", aud: "app" };

async function serve(t, keys, vars = {}) {
  const issuer = await serveKeys(t, keys);
  const server = await startServer(t, {
    vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_JWKS_URL: issuer.url, ROOMFUL_AUDIENCE: "app", ...vars },
  });
  const verdict = async (token) => {
    const { status, body } = await get(server, "/room/lobby/presence", { token });
    return status === 200 ? 200 : `${status} ${body.error.code}`;
  };
  return { issuer, server, verdict };
}

test("t1 ES256, EdDSA and RS256 are verified with published keys, which are fetched once", async (t) => {
  const pairs = ["ES256", "EdDSA", "RS256"].map((alg) => keyPair(alg, `k-${alg}`));
  const { issuer, server, verdict } = await serve(t, pairs);
  for (const pair of pairs) {
    assert.equal(await verdict(pair.mint(claims)), 200, pair.jwk.alg);
    assert.equal(await verdict(pair.mint(claims, { kid: undefined })), 200, "the only key of its algorithm");
    const { welcome } = await join(server, "lobby", { token: pair.mint(claims) });
    assert.equal(welcome.user.id, "ana");
    assert.equal(await verdict(pair.mint({ ...claims, aud: "other" })), "401 invalid_token");
    const [header, , signature] = pair.mint(claims).split(".");
    const payload = Buffer.from(JSON.stringify({ ...claims, sub: "eve", exp: 9e9 })).toString("base64url");
    assert.equal(await verdict(`${header}.${payload}.${signature}`), "401 invalid_token");
  }
  assert.equal(issuer.fetches, 1);
});

test("t1 an algorithm that does not belong to the key is refused", async (t) => {
  const [ec, rsa] = [keyPair("ES256", "ec"), keyPair("RS256", "rsa")];
  const { verdict } = await serve(t, [ec, rsa]);
  assert.equal(await verdict(ec.mint(claims, { kid: "rsa" })), "401 invalid_token");
  assert.equal(await verdict(ec.mint(claims, { alg: "EdDSA" })), "401 invalid_token");
  // The classic: a published key is no secret.
  const secret = JSON.stringify(rsa.jwk);
  assert.equal(await verdict(mint(claims, { secret, header: { kid: "rsa" } })), "401 invalid_token");
  assert.equal(await verdict(assemble({ alg: "none", kid: "ec" }, claims, () => Buffer.alloc(0))), "401 invalid_token");
});

test("t1 made-up keys do not make the server fetch again and again", async (t) => {
  const pair = keyPair("ES256", "one");
  const stranger = keyPair("ES256", "two");
  const { issuer, verdict } = await serve(t, [pair]);
  assert.equal(await verdict(pair.mint(claims)), 200);
  const kids = Array.from({ length: 30 }, (_, index) => `made-up-${index}`);
  const verdicts = await Promise.all(kids.map((kid) => verdict(stranger.mint(claims, { kid }))));
  assert.deepEqual(new Set(verdicts), new Set(["401 invalid_token"]));
  assert.ok(issuer.fetches <= 2, `${issuer.fetches} fetches`);
  assert.equal(await verdict(pair.mint(claims)), 200);
});

test("t1 t4 while no key can be had the client is told to come back, not to get another token", async (t) => {
  const pair = keyPair("ES256", "one");
  const { issuer, server, verdict } = await serve(t, [pair]);
  for (const [status, body] of [[500], [200, "<html>"], [200, "x".repeat(300_000)]]) {
    Object.assign(issuer, { status, body });
    assert.equal(await verdict(pair.mint(claims)), "503 room_busy");
    await server.restart();
  }
  const browser = await open(server, "lobby", { token: pair.mint(claims) });
  assert.equal((await browser.end()).code, 4103);
  assert.ok(issuer.fetches <= 4, `${issuer.fetches} fetches`);
});

test("t1 secrets and published keys verify side by side, and t5 renews with either", async (t) => {
  const pair = keyPair("EdDSA", "one");
  const { server, verdict } = await serve(t, [pair], { ROOMFUL_SECRETS: SECRET });
  assert.equal(await verdict(mint(claims)), 200);
  assert.equal(await verdict(pair.mint(claims)), 200);
  const ana = await join(server, "lobby", { token: mint(claims) });
  ana.send({ type: "auth", token: pair.mint({ ...claims, can: ["subscribe"] }) });
  assert.deepEqual((await ana.next("auth")).can, ["subscribe"]);
});

test("t1 t6 a key set without an audience is not_configured", async (t) => {
  const { verdict } = await serve(t, [], { ROOMFUL_AUDIENCE: undefined });
  assert.equal(await verdict(mint(claims)), "500 not_configured");
});
