import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, open, post, request, tokenFor } from "./client.mjs";
import { SECRET, startServer } from "./server.mjs";
import { assemble, mint, seconds } from "./token.mjs";
import { reach } from "./until.mjs";

const OLD = "the secret of last year and still good for a while";
const server = await startServer(test, { vars: { ROOMFUL_SECRETS: `new:${SECRET},${OLD}` } });

/** Status and code with which a token is refused, or 200. */
async function verdict(token, room = "lobby", at = server) {
  const { status, body } = await get(at, `/room/${room}/presence`, { token });
  return status === 200 ? 200 : `${status} ${body.error.code}`;
}

test("t1 each of the secrets verifies, by its kid or without", async () => {
  const claims = { sub: "ana", room: "lobby" };
  assert.equal(await verdict(mint(claims)), 200);
  assert.equal(await verdict(mint(claims, { header: { kid: "new" } })), 200);
  assert.equal(await verdict(mint(claims, { secret: OLD })), 200);
  assert.equal(await verdict(mint(claims, { secret: `${OLD}x` })), "401 invalid_token");
});

test("t1 alg none, other algorithms and broken tokens are refused", async () => {
  const claims = { sub: "ana", room: "lobby" };
  const good = mint(claims);
  const [header, payload, signature] = good.split(".");
  const none = assemble({ alg: "none" }, claims, () => Buffer.alloc(0));
  const bad = [
    none,
    none + signature,
    assemble({ alg: "None" }, claims, () => Buffer.alloc(32)),
    mint(claims, { header: { alg: "HS512" } }),
    mint(claims, { header: { alg: "ES256" } }),
    mint(claims, { header: { crit: ["exp"] } }),
    `${header}.${payload}`,
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.slice(0, -2)}`,
    `${header}.${Buffer.from('{"sub":"bob"}').toString("base64url")}.${signature}`,
    "x",
    "..",
    "a.b.c",
    "x".repeat(9_000),
  ];
  for (const token of bad) assert.equal(await verdict(token), "401 invalid_token", token.slice(0, 200));
  assert.equal(await verdict(null), "401 invalid_token");
});

test("t2 sub and exp are required, nbf and exp have 5 s of leeway", async () => {
  const claims = { sub: "ana", room: "lobby" };
  assert.equal(await verdict(mint({ room: "lobby" })), "401 invalid_token");
  assert.equal(await verdict(mint({ ...claims, exp: undefined })), "401 invalid_token");
  assert.equal(await verdict(mint({ ...claims, exp: "soon" })), "401 invalid_token");
  assert.equal(await verdict(mint({ ...claims, exp: seconds(-30) })), "401 token_expired");
  assert.equal(await verdict(mint({ ...claims, exp: seconds(-1) })), 200);
  assert.equal(await verdict(mint({ ...claims, nbf: seconds(3) })), 200);
  assert.equal(await verdict(mint({ ...claims, nbf: seconds(60) })), "401 invalid_token");
});

test("t2 a token reaches the rooms that it names, and none without", async () => {
  const reaches = (room, name) => verdict(mint({ sub: "ana", room }), name);
  assert.equal(await reaches("lobby", "lobby"), 200);
  assert.equal(await reaches(["hall", "team:*"], "team:7"), 200);
  assert.equal(await reaches(["hall", "team:*"], "team:"), 200);
  assert.equal(await reaches("*", "anything"), 200);
  for (const room of [undefined, [], "hall", "lobby2", "LOBBY", ["team:*"], "*y"]) {
    assert.equal(await reaches(room, "lobby"), "403 forbidden", JSON.stringify(room));
  }
  assert.equal(await reaches(7, "lobby"), "401 invalid_token");
});

test("t2 rights are those of can, the first four by default, all with admin", async () => {
  const room = freshRoom("token");
  const path = `/room/${room}`;
  const tries = async (can) => {
    const options = { user: "ana", claims: { room, can } };
    const outcomes = [
      await post(server, `${path}/publish`, { event: "e", data: 1 }, options),
      await get(server, `${path}/presence`, options),
      await get(server, `${path}/history`, options),
      await get(server, path, options),
      await post(server, `${path}/disconnect`, { user: "nobody" }, options),
    ];
    return outcomes.map(({ status }) => status);
  };
  assert.deepEqual(await tries(undefined), [200, 200, 200, 403, 403]);
  assert.deepEqual(await tries(["admin"]), [200, 200, 200, 200, 200]);
  assert.deepEqual(await tries(["history", "fly"]), [403, 403, 200, 403, 403]);
  assert.deepEqual(await tries([]), [403, 403, 403, 403, 403]);
  const { welcome } = await join(server, room, { user: "bob", claims: { can: ["presence", "subscribe", "fly"] } });
  assert.deepEqual(welcome.can, ["subscribe", "presence"]);
});

test("t2 issuer and audience are honoured when set", async (t) => {
  const strict = await startServer(t, { vars: { ROOMFUL_ISSUER: "app", ROOMFUL_AUDIENCE: "roomful" } });
  const claims = { sub: "ana", room: "lobby" };
  const judge = (more) => verdict(mint({ ...claims, ...more }), "lobby", strict);
  assert.equal(await judge({ iss: "app", aud: "roomful" }), 200);
  assert.equal(await judge({ iss: "app", aud: ["other", "roomful"] }), 200);
  for (const wrong of [{}, { iss: "app" }, { iss: "App", aud: "roomful" }, { iss: "app", aud: ["other"] }]) {
    assert.equal(await judge(wrong), "401 invalid_token", JSON.stringify(wrong));
  }
});

test("t3 a token travels as a subprotocol, as Bearer or as a parameter, and never comes back", async () => {
  const room = freshRoom("token");
  const token = tokenFor("ana", room);
  const ways = [
    [{ token }, "roomful.v1"],
    [{ token: null, protocols: [`roomful.token.${token}`, "roomful.v1"] }, "roomful.v1"],
    [{ token: null, protocols: [], headers: { authorization: `Bearer ${token}` } }, ""],
    [{ token: null, headers: { authorization: `bearer  ${token}` } }, "roomful.v1"],
    [{ plain: true, token }, ""],
    [{ token: null, protocols: ["roomful.v2", "roomful.v1", "chat"], query: { token } }, "roomful.v1"],
  ];
  for (const [options, protocol] of ways) {
    const recorder = await join(server, room, options);
    assert.equal(recorder.socket.protocol, protocol);
    assert.equal(recorder.welcome.user.id, "ana");
    await recorder.close();
  }
  assert.equal((await get(server, `/room/${room}/presence?token=${token}`, { token: null })).status, 200);
});

test("t3 a token alone among the subprotocols is no offer: the handshake fails rather than reveal it", async () => {
  const room = freshRoom("token");
  const recorder = await open(server, room, { protocols: [`roomful.token.${tokenFor("ana", room)}`], token: null });
  // The stock client refuses a server that takes none of its offers.
  assert.match(recorder.error.message, /no subprotocol/);
});

test("t4 a refused upgrade tells those who offered roomful.v1 why, and others the status", async () => {
  const refusals = [
    [null, 4000, 401, "invalid_token"],
    [tokenFor("ana", "lobby", { exp: seconds(-60) }), 4001, 401, "token_expired"],
    [tokenFor("ana", "elsewhere"), 4501, 403, "forbidden"],
  ];
  for (const [token, close, status, code] of refusals) {
    const browser = await open(server, "lobby", { token });
    assert.deepEqual((await browser.end()).code, close, code);
    assert.equal(browser.socket.protocol, "roomful.v1");
    const [error, ...rest] = browser.messages;
    assert.deepEqual([error.type, error.code, rest.length], ["error", code, 0]);
    const plain = await open(server, "lobby", { token, plain: true });
    assert.deepEqual([plain.refused.status, plain.refused.body.error.code], [status, code]);
  }
});

test("t4 e2 h6 an upgrade at another path than a room's is refused likewise", async () => {
  for (const [path, status, code] of [
    ["lobby/publish", 405, "method_not_allowed"],
    ["lobby/nothing", 404, "not_found"],
  ]) {
    const browser = await open(server, path, { token: tokenFor("ana", "lobby") });
    assert.equal((await browser.end()).code, 4509, path);
    assert.deepEqual([browser.messages.length, browser.messages[0].code], [1, code]);
    const plain = await open(server, path, { token: tokenFor("ana", "lobby"), plain: true });
    assert.deepEqual([plain.refused.status, plain.refused.body.error.code], [status, code]);
  }
});

test("t4 another protocol version alone gets 4507 in its own subprotocol", async () => {
  const token = `roomful.token.${tokenFor("ana", "lobby")}`;
  const recorder = await open(server, "lobby", { protocols: ["roomful.v2", token] });
  assert.equal(recorder.socket.protocol, "roomful.v2");
  assert.equal((await recorder.end()).code, 4507);
  assert.deepEqual(
    recorder.messages.map(({ code }) => code),
    ["unsupported_protocol"],
  );
});

test("t4 a refused request never reaches the room", async () => {
  const room = freshRoom("token");
  for (const token of [null, tokenFor("ana", "elsewhere")]) {
    await (await open(server, room, { token })).end();
    await request(server, "DELETE", `/room/${room}`, { token });
  }
  const refusedBy = Date.now();
  await reach(refusedBy + 2);
  const { body } = await get(server, `/room/${room}`);
  // An object is constructed by what first reaches it.
  assert.ok(body.awake_since > refusedBy);
  assert.equal(body.created_at ?? null, null);
});

test("t5 a token is replaced on a live connection, and the old one counts until then", async () => {
  const room = freshRoom("token");
  const ana = await join(server, room, { claims: { exp: seconds(300), can: ["subscribe"] } });
  assert.ok(ana.welcome.expires_in > 200_000 && ana.welcome.expires_in <= 300_000);
  assert.equal((await ana.publish("chat", 1)).code, "forbidden");
  ana.send({ type: "auth", token: tokenFor("ana", room) });
  const renewed = await ana.next("auth");
  assert.deepEqual(renewed.can, ["subscribe", "publish", "presence", "history"]);
  assert.ok(renewed.expires_in > 400_000);
  assert.equal((await ana.publish("chat", 1)).offset, 1);
  // Presence came with it.
  assert.equal((await ana.find("members")).members[0].connection, ana.connection);
});

test("t5 a token that will not do is unauthorized, and the old one stays", async () => {
  const room = freshRoom("token");
  const ana = await join(server, room);
  const bad = [tokenFor("bob", room), tokenFor("ana", "elsewhere"), tokenFor("ana", room, { exp: 1 }), "x", ""];
  for (const [index, token] of bad.entries()) {
    ana.send({ type: "auth", id: `a${index}`, token });
    const error = await ana.next({ type: "error", id: `a${index}` });
    assert.equal(error.code, "unauthorized");
  }
  assert.equal((await ana.publish("chat", 1)).offset, 1);
});

test("t5 e2 a connection ends with 4001 within 10 s of the end of its token and leeway", async () => {
  const exp = seconds(2);
  const ana = await join(server, freshRoom("token"), { claims: { exp } });
  const bob = await join(server, freshRoom("token"), { plain: true, claims: { exp } });
  for (const recorder of [ana, bob]) {
    assert.equal((await recorder.end(20_000)).code, 4001);
    assert.equal(recorder.messages.at(-1).code, "token_expired");
    const late = Date.now() - (exp + 5) * 1_000;
    assert.ok(late > -1_000 && late < 10_000, `${late} ms after the leeway`);
  }
});
