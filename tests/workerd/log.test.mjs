// Whether anything that must not be known stands in what the server wrote, after everything that can go wrong has.
import assert from "node:assert/strict";
import { test } from "node:test";
import { get, join, open, placeOf, post, request } from "./client.mjs";
import { serveKeys } from "./keys.mjs";
import { SECRET, startServer } from "./server.mjs";
import { listen } from "./stream.mjs";
import { assemble, keyPair, mint, seconds } from "./token.mjs";
import { until } from "./until.mjs";

/** All that nobody may find, with what it is. */
class Unsayable {
  #texts = new Map();

  add(what, text) {
    assert.ok(text.length >= 6, `${what} could stand anywhere`);
    this.#texts.set(text, what);
    return text;
  }

  /** A token, whole and in parts. */
  token(what, token) {
    const [, payload, signature] = token.split(".");
    this.add(`${what}: payload`, payload);
    // Also if it was cut to fit a line.
    if (signature) this.add(`${what}: signature`, signature.slice(0, 16));
    return token;
  }

  assertAbsent(text) {
    for (const [secret, what] of this.#texts) {
      const at = text.indexOf(secret);
      assert.ok(at < 0, `${what} in ${JSON.stringify(text.slice(Math.max(0, at - 300), at + 100))}`);
      // As it stands in a URL, in JSON within JSON, and in base64.
      assert.ok(!text.includes(encodeURIComponent(secret)), what);
      assert.ok(!text.includes(Buffer.from(secret).toString("base64").slice(0, -4)), what);
    }
  }
}

test("e4 no line of the log holds a secret, a token, what people say or who they are beyond their id", async (t) => {
  const unsayable = new Unsayable();
  unsayable.add("the secret", SECRET);
  unsayable.add("half of it", SECRET.slice(0, 16));
  const pair = keyPair("ES256", "one");
  const issuer = await serveKeys(t, [pair]);
  const vars = { ROOMFUL_JWKS_URL: `${issuer.url}?key=issuer-password`, ROOMFUL_AUDIENCE: "app" };
  unsayable.add("a secret in the key set's address", "issuer-password");
  const server = await startServer(t, {
    vars: { ...vars, ALLOWED_ORIGINS: "https://app.example", GRACE_SECONDS: 1 },
  });

  let count = 0;
  const info = { email: unsayable.add("info", "ana@private.example") };
  const token = (claims = {}, options) =>
    unsayable.token(`token ${++count}`, mint({ sub: "ana", room: "lobby", aud: "app", info, ...claims }, options));
  const word = (what) => unsayable.add(what, `${what.replaceAll(" ", "-")}-${++count}-unsayable`);

  /** Comes, and goes if it was let in. */
  const visit = async (options) => {
    const visitor = await open(server, "lobby", options);
    if (visitor.refused) return;
    await until(() => visitor.messages.length || visitor.closed, "an answer");
    if (visitor.welcome) visitor.drop();
    else await visitor.end();
  };

  // Tokens of all kinds, in all places.
  const bad = [
    token({}, { secret: word("another secret") + "x".repeat(32) }),
    token({ exp: seconds(-60) }),
    token({ exp: undefined }),
    token({ room: "elsewhere" }),
    token({ can: [word("a right")] }),
    token({ aud: word("an audience") }),
    token({ info: word("an info that is no object") }),
    token({}, { header: { kid: word("a kid") } }) + "x",
    token({ sub: `${word("a user id with a control character")}\n` }),
    unsayable.token("alg none", assemble({ alg: "none" }, { sub: "ana" }, () => Buffer.from("no signature at all"))),
    unsayable.token("key unknown", keyPair("ES256", "two").mint({ sub: "ana", room: "lobby", aud: "app" })),
    word("no token at all"),
    `${word("three parts")}.${word("of")}.${word("nothing")}`,
  ];
  for (const each of bad) {
    await get(server, "/room/lobby/presence", { token: each });
    await get(server, `/room/lobby/history?token=${encodeURIComponent(each)}`, { token: null });
    if (/^[\w.-]+$/.test(each)) await visit({ token: each });
    await visit({ token: each, plain: true });
  }

  // Requests that are wrong.
  const admin = token({ sub: "server", room: "*", can: ["admin"], info: undefined });
  const body = { event: word("an event"), data: word("data") };
  await post(server, "/room/lobby/publish", body, { token: admin });
  await post(server, "/room/lobby/publish", `{"event":${word("no JSON")}`, { token: admin });
  await post(server, "/room/lobby/publish", { event: `roomful:${word("reserved")}` }, { token: admin });
  await post(server, "/publish", { messages: [{ room: "lobby", ...body }, { room: "a/b", ...body }] }, { token: admin });
  await post(server, "/room/lobby/disconnect", { user: 7, reason: word("reason") }, { token: admin });
  await post(server, "/room/lobby/publish", "x".repeat(1_100_000) + word("the end of a large body"), { token: admin });
  await get(server, `/room/lobby/history?after=${word("an offset")}`, { token: admin });
  await get(server, `/room/lobby?secret=${word("a query")}&token=${admin}`, { token: null });
  await get(server, "/room/lobby", { token: admin, headers: { origin: `https://${word("an origin")}.example` } });
  await request(server, "PATCH", "/room/lobby", { token: admin, headers: { cookie: word("a cookie") } });

  // People, and what becomes of them.
  const ana = await join(server, "lobby", { token: token() });
  unsayable.add("a session", ana.welcome.session);
  unsayable.add("the MAC of a session", ana.welcome.session.split(".").at(-1).slice(0, 16));
  ana.send({ type: "publish", event: "chat", data: { text: word("what ana says") }, id: "one" });
  ana.send({ type: "state", state: { mood: word("how ana is") } });
  ana.send({ type: word("a type") });
  ana.send(`{"type":"publish","data":${word("broken")}`);
  ana.send({ type: "auth", id: "a", token: token({ sub: "bob" }) });
  await ana.find({ type: "error", id: "a" });
  ana.send({ type: "auth", token: token({ exp: seconds(900) }) });
  await ana.find("auth");
  await ana.settled();
  ana.drop();
  const forged = { ...placeOf(ana), session: `1.0.${word("a made-up session").slice(0, 40)}` };
  const again = await join(server, "lobby", { token: token(), resume: forged });
  const own = await join(server, "lobby", { token: token(), resume: placeOf(ana) });
  const plain = await join(server, "lobby", { token: token({ sub: "plain" }), plain: true, resume: placeOf(ana) });
  for (const who of [again, plain]) {
    for (let index = 0; index < 12; index++) who.send(`${index} ${"x".repeat(index)} {`);
    assert.equal((await who.end()).code, 4503);
  }
  const binary = await join(server, "lobby", { token: token({ sub: "binary" }) });
  binary.socket.send(Buffer.from(word("binary data")));
  assert.equal((await binary.end()).code, 4508);
  const ends = await join(server, "lobby", { token: token({ sub: "short", exp: seconds(1) }) });
  const stream = await listen(server, "lobby", { user: "listener", claims: { aud: "app", info } });
  assert.equal(stream.status, 200);
  const { body: disconnected } = await post(
    server,
    "/room/lobby/disconnect",
    { user: "ana", ban_seconds: 60, reason: word("why ana must go") },
    { token: admin },
  );
  assert.ok(disconnected.closed >= 1);
  await own.end();
  await (await open(server, "lobby", { token: token(), resume: placeOf(ana) })).end();
  assert.equal((await ends.end(20_000)).code, 4001);

  // A server that has lost its keys, and one that was never given good ones.
  await request(server, "DELETE", "/room/lobby", { token: admin });
  await server.restart();
  for (const answer of [
    (response) => response.end(word("what the issuer says")),
    (response) => response.writeHead(302, { location: `https://${word("an address")}.example/` }).end(),
    (response) => response.destroy(),
  ]) {
    issuer.answer = answer;
    const unknown = unsayable.token("while keys are unavailable", pair.mint({ sub: "ana", room: "lobby", aud: "app" }));
    assert.equal((await get(server, "/room/lobby", { token: unknown })).status, 503);
    await server.restart();
  }
  const logs = [server];
  for (const wrong of [
    { ROOMFUL_SECRETS: word("short") },
    { ROOMFUL_SECRETS: `${SECRET},k:${word("too short")}` },
    { ROOMFUL_SECRET: SECRET, ROOMFUL_SECRETS: undefined },
    { ROOMFUL_JWKS_URL: `http://user:${word("password")}@issuer.example/`, ROOMFUL_AUDIENCE: "app" },
    { ALLOWED_ORIGINS: word("no origin") },
    { MAX_CONNECTIONS: word("no number") },
    { ROOM_LOCATION: word("no place") },
    { ROOMFUL_ANONYMOUS: word("neither true nor false") },
  ]) {
    const unusable = await startServer(t, { vars: wrong });
    assert.equal((await get(unusable, "/room/lobby", { token: admin })).status, 500);
    await until(() => /"not_configured"|"refused"/.test(unusable.log), "a line");
    logs.push(unusable);
  }

  for (const each of logs) {
    await each.kill();
    unsayable.assertAbsent(each.log);
    for (const line of each.log.split("\n").filter((text) => text.startsWith("{"))) JSON.parse(line);
  }
  // All of it did happen, and was written down.
  for (const event of ["refused", "closed", "banned", "deleted", "keys_unavailable"]) {
    assert.match(server.log, new RegExp(`"event":"${event}"`), event);
  }
  for (const error of ["invalid_token", "token_expired", "forbidden", "forbidden_origin", "bad_message", "banned"]) {
    assert.match(server.log, new RegExp(`"error":"${error}"`), error);
  }
});
