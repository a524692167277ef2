// What somebody can do to the Worker through its key set: crowds before the first, and answers that are no key sets.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { get, join } from "./client.mjs";
import { serveKeys } from "./keys.mjs";
import { SECRET, startServer } from "./server.mjs";
import { keyPair, mint } from "./token.mjs";
import { until } from "./until.mjs";

const claims = { sub: "ana", room: "*", aud: "app" };
const good = keyPair("ES256", "good");
const stranger = keyPair("ES256", "stranger");

async function serve(t, keys = [good], vars = {}) {
  const issuer = await serveKeys(t, keys);
  const server = await startServer(t, {
    vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_JWKS_URL: issuer.url, ROOMFUL_AUDIENCE: "app", ...vars },
  });
  const verdict = async (token, options = {}) => {
    const { status, body } = await get(server, "/room/lobby/presence", { token, ...options });
    return status === 200 ? 200 : `${status} ${body.error.code}`;
  };
  return { issuer, server, verdict };
}

/** Makes an issuer wait with its answers until the function that it returns is called. */
function hold(issuer) {
  const waiting = [];
  issuer.answer = (response) => waiting.push(response);
  return () => {
    issuer.answer = undefined;
    const text = JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) });
    for (const response of waiting) response.end(text);
  };
}

test("t1 a crowd before the first key set causes one fetch, and all wait for it", async (t) => {
  const { issuer, server, verdict } = await serve(t, [good], { ROOMFUL_SECRETS: SECRET });
  // Rooms verify tokens as well, in the same isolate and each in its own right: renewals (T5).
  const people = await Promise.all(
    Array.from({ length: 10 }, (_, index) => join(server, `room-${index}`, { token: mint(claims) })),
  );
  const release = hold(issuer);
  for (const person of people) person.send({ type: "auth", token: good.mint(claims) });
  // So few that all are heard before the fetch has taken too long, on a busy machine as well.
  const honest = Array.from({ length: 20 }, () => verdict(good.mint(claims)));
  const made_up = Array.from({ length: 10 }, (_, index) => verdict(stranger.mint(claims, { kid: `k${index}` })));
  await until(() => issuer.fetches > 0, "a fetch");
  // Whoever has not been heard by now would fetch as well.
  assert.equal(await verdict(mint(claims)), 200, "a token that needs no key does not wait");
  release();
  assert.deepEqual(new Set(await Promise.all(honest)), new Set([200]));
  assert.deepEqual(new Set(await Promise.all(made_up)), new Set(["401 invalid_token"]));
  for (const person of people) await person.next("auth");
  assert.equal(issuer.fetches, 1);
  assert.doesNotMatch(server.log, /different request|never generate|keys_unavailable/);
});

test("t1 whoever begins the fetch and goes away takes it from nobody", async (t) => {
  const { issuer, server, verdict } = await serve(t);
  const release = hold(issuer);
  const gone = new AbortController();
  const first = fetch(`${server.url}/room/lobby/presence?token=${good.mint(claims)}`, { signal: gone.signal });
  await until(() => issuer.fetches === 1, "a fetch");
  const second = verdict(good.mint(claims));
  gone.abort();
  await assert.rejects(first, { name: "AbortError" });
  // A third one comes when the runtime has long noticed.
  const third = verdict(good.mint(claims));
  assert.equal((await get(server, "/health", { token: null })).status, 200);
  release();
  assert.deepEqual(await Promise.all([second, third]), [200, 200]);
  assert.equal(issuer.fetches, 1);
});

test("t1 whoever waits for keys and goes away leaves nothing in memory", async (t) => {
  const { issuer, server, verdict } = await serve(t);
  const release = hold(issuer);
  const first = verdict(good.mint(claims));
  await until(() => issuer.fetches === 1, "a fetch");
  const { port } = new URL(server.url);
  const ask = () => {
    const socket = connect(port, "127.0.0.1");
    const head = ["GET /room/lobby/presence HTTP/1.1", "host: x", `authorization: Bearer ${stranger.mint(claims)}`];
    return new Promise((sent) => socket.write(`${head.join("\r\n")}\r\n\r\n`, () => sent(socket)));
  };
  const gone = await Promise.all(Array.from({ length: 20 }, ask));
  // Who is answered came later.
  assert.equal((await get(server, "/health", { token: null })).status, 200);
  for (const socket of gone) socket.resetAndDestroy();
  assert.equal((await get(server, "/health", { token: null })).status, 200);
  release();
  await first;
  // What waits in wasm for a promise is let go of once that is kept, and not before. (A busy machine may be too late for
  // the keys.)
  const ended = () => server.log.match(/"refused".*"(invalid_token|room_busy)"/g)?.length ?? 0;
  await until(() => ended() >= gone.length, () => `all to end, not ${ended()}`);
});

test("t1 a redirect is not followed, and the log says what to set", async (t) => {
  const elsewhere = await serveKeys(t, [good]);
  const { issuer, server, verdict } = await serve(t, []);
  for (const status of [301, 302, 307, 308]) {
    issuer.answer = (response) => response.writeHead(status, { location: elsewhere.url }).end();
    assert.equal(await verdict(good.mint(claims)), "503 room_busy", `${status}`);
    await server.restart();
  }
  assert.equal(elsewhere.fetches, 0);
  await until(() => server.log.match(/"keys_unavailable".*redirect/g)?.length === 4, "four lines");
  assert.ok(!server.log.includes(elsewhere.url));
});

test("t1 an answer that is no key set costs little, and says nothing about any token", async (t) => {
  const many = JSON.stringify({ keys: Array(10_000).fill({ kty: "EC" }) });
  const answers = {
    megabytes: (response) => response.end(`{"keys":[],"x":"${"x".repeat(8_000_000)}"}`),
    endless: (response) => {
      const more = () => response.write("x".repeat(65_536), (error) => error ?? setImmediate(more));
      response.on("close", () => (response.closed_early = true));
      more();
    },
    drip: (response) => {
      response.write('{"keys":[');
      const drip = setInterval(() => response.write(" "), 50);
      response.on("close", () => clearInterval(drip));
    },
    silence: () => {},
    "ten thousand keys": (response) => response.end(many),
    "no JSON": (response) => response.end("<html>"),
    "no UTF-8": (response) => response.end(Buffer.from([0x7b, 0xff, 0xfe])),
    "cut off": (response) => {
      response.writeHead(200, { "content-length": 1_000 });
      response.write('{"keys":[', () => response.destroy());
    },
    "nested deeply": (response) => response.end(`{"keys":${"[".repeat(100_000)}`),
    "no key that can be used": (response) => response.end('{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"good"}]}'),
  };
  await Promise.all(
    Object.entries(answers).map(async ([name, answer]) => {
      const { issuer, server, verdict } = await serve(t);
      issuer.answer = answer;
      const began = Date.now();
      assert.equal(await verdict(good.mint(claims)), "503 room_busy", name);
      assert.ok(Date.now() - began < 60_000, `${name}: ${Date.now() - began} ms`);
      // For five seconds nobody asks again.
      assert.equal(await verdict(good.mint(claims)), "503 room_busy", name);
      assert.ok(issuer.fetches <= 1 + (Date.now() - began) / 5_000, `${name}: ${issuer.fetches} fetches`);
      await until(() => /"keys_unavailable"/.test(server.log), () => `${name} in the log`);
    }),
  );
});

test("t1 of hostile keys in a set each is passed over, and the good one serves", async (t) => {
  const [twin, other, leaked] = [keyPair("ES256", "twin"), keyPair("ES256", "twin"), keyPair("ES256", "leaked")];
  const secret = Buffer.from("a symmetric key of thirty-two bytes").toString("base64url");
  const bad = [
    { kty: "oct", k: secret, kid: "oct", alg: "HS256" },
    { ...leaked.jwk, d: "c2VjcmV0" },
    { ...stranger.jwk, use: "enc" },
    { ...good.jwk, kid: "weak", kty: "RSA", n: "AQAB", e: "AQ" },
    null,
    [],
    "x",
  ].map((jwk) => ({ jwk }));
  const { verdict } = await serve(t, [...bad, twin, other, good]);
  assert.equal(await verdict(good.mint(claims)), 200);
  for (const pair of [twin, other, leaked, stranger]) {
    assert.equal(await verdict(pair.mint(claims)), "401 invalid_token", pair.jwk.kid);
  }
  const symmetric = { secret: Buffer.from(secret, "base64url"), header: { kid: "oct" } };
  assert.equal(await verdict(mint(claims, symmetric)), "401 invalid_token");
});
