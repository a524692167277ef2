import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, open, placeOf, post, request } from "./client.mjs";
import { startServer } from "./server.mjs";
import { mint } from "./token.mjs";
import { until } from "./until.mjs";

const server = await startServer(test, { vars: { GRACE_SECONDS: 1, RATE_PER_SECOND: 5, RATE_BURST: 10 } });
const data = (who) => who.all("message").map((message) => message.data);

test("h1 a message published over HTTP has a user and no from", async () => {
  const room = freshRoom();
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
  const path = `/room/${room}/publish`;
  const { status, headers, body } = await post(server, path, { event: "chat", data: { x: [1] } }, { user: "back-end" });
  assert.equal(status, 200);
  assert.match(headers.get("content-type"), /^application\/json/);
  assert.deepEqual(body, { offset: 1, epoch: ana.welcome.epoch });
  const { at, ...message } = await ana.find({ type: "message" });
  assert.deepEqual(message, { type: "message", event: "chat", data: { x: [1] }, user: "back-end", offset: 1 });
  const ephemeral = await post(server, path, { event: "e", data: 2, ephemeral: true });
  assert.deepEqual(ephemeral.body, { epoch: ana.welcome.epoch });
  await post(server, path, { event: "e", data: 3, to: ["user:bob"] });
  await post(server, path, { event: "e", data: 4, except: [ana.connection] });
  await bob.find({ data: 4 });
  await ana.settled();
  assert.deepEqual(
    [data(ana), data(bob)],
    [
      [{ x: [1] }, 2],
      [{ x: [1] }, 2, 3, 4],
    ],
  );
  assert.deepEqual(ana.all("skip"), [{ type: "skip", offset: 2 }]);
});

test("h1 an id makes a publish idempotent, across a killed server too", async () => {
  const room = freshRoom();
  const publish = (user) => post(server, `/room/${room}/publish`, { event: "e", data: 1, id: "order-7" }, { user });
  const first = await publish("shop");
  assert.deepEqual((await publish("shop")).body, first.body);
  await server.restart();
  assert.deepEqual((await publish("shop")).body, first.body);
  assert.equal((await publish("other shop")).body.offset, 2);
  const both = await Promise.all([publish("third"), publish("third")]);
  assert.deepEqual(
    both.map(({ body }) => body.offset),
    [3, 3],
  );
});

test("h1 n6 without admin each sub has its rate, with Retry-After", async () => {
  const room = freshRoom();
  const options = { claims: { room, can: ["publish"] } };
  const send = (user) => post(server, `/room/${room}/publish`, { event: "e" }, { ...options, user });
  // Again and again: a busy machine may be slower than the rate.
  const refused = await until(async () => {
    const answers = await Promise.all(Array.from({ length: 28 }, () => send("ana")));
    const some = answers.filter(({ status }) => status === 429);
    return some.length > 0 && some;
  }, "some to be refused");
  for (const { headers, body } of refused) {
    assert.equal(headers.get("retry-after"), "1");
    assert.deepEqual([body.error.code, body.error.retryable], ["rate_limited", true]);
    assert.ok(body.error.retry_after > 0 && body.error.retry_after <= 1_000);
  }
  assert.equal((await send("bob")).status, 200);
  const admin = await Promise.all(
    Array.from({ length: 20 }, () => post(server, `/room/${room}/publish`, { event: "e" })),
  );
  assert.ok(admin.every(({ status }) => status === 200));
});

test("h2 a batch goes to many rooms, in order, and one refused does not stop the others", async () => {
  const [one, two] = [freshRoom(), freshRoom()];
  const ana = await join(server, one);
  const messages = [
    { room: one, event: "e", data: 1 },
    { room: two, event: "e", data: 2, id: "x" },
    { room: "elsewhere", event: "e" },
    { room: one, event: "roomful:e" },
    { room: "a/b", event: "e" },
    { event: "e" },
    7,
    { room: two, event: "e", data: 3, id: "x" },
    { room: one, event: "e", data: 4, ephemeral: true },
    { room: one, event: "e", data: "x".repeat(65_536) },
    { room: one, event: "e", data: 5 },
  ];
  const { status, body } = await post(
    server,
    "/publish",
    { messages },
    { claims: { room: [one, two], can: ["publish"] } },
  );
  assert.equal(status, 200);
  assert.deepEqual(
    body.results.map((result) => result.error?.code ?? result.offset ?? "sent"),
    [1, 1, "forbidden", "bad_message", "invalid_room", "bad_message", "bad_message", 1, "sent", "message_too_large", 2],
  );
  assert.equal(body.results[0].epoch, ana.welcome.epoch);
  await ana.find({ data: 5 });
  assert.deepEqual(data(ana), [1, 4, 5]);
  const full = (count) => ({
    messages: Array.from({ length: count }, () => ({ room: two, event: "e", ephemeral: true })),
  });
  assert.equal((await post(server, "/publish", full(100))).body.results.length, 100);
  for (const wrong of [full(101), full(0), {}, { messages: {} }, [], "x", ""]) {
    assert.equal(
      (await post(server, "/publish", wrong)).body.error.code,
      "bad_message",
      JSON.stringify(wrong).slice(0, 60),
    );
  }
});

test("h3 presence, history and the room itself can be asked for", async () => {
  const room = freshRoom();
  const empty = (await get(server, `/room/${room}`)).body;
  assert.deepEqual([empty.offset, empty.history.messages, empty.occupancy], [0, 0, { connections: 0, users: 0 }]);
  const ana = await join(server, room, { claims: { info: { name: "Ana" } } });
  await ana.publish("chat", 1);
  await ana.publish("chat", 2);
  const presence = (await get(server, `/room/${room}/presence`)).body;
  assert.deepEqual(presence, { members: ana.welcome.members, occupancy: { connections: 1, users: 1 } });
  const history = (await get(server, `/room/${room}/history?after=1`)).body;
  assert.deepEqual(history.messages, ana.all("message").slice(1));
  assert.deepEqual([history.epoch, history.more], [ana.welcome.epoch, false]);
  assert.equal((await get(server, `/room/${room}/history?limit=x`)).body.error.code, "bad_message");
  const { history: kept, awake_since, created_at, ...summary } = (await get(server, `/room/${room}`)).body;
  assert.deepEqual(summary, { room, epoch: ana.welcome.epoch, offset: 2, occupancy: { connections: 1, users: 1 } });
  assert.deepEqual([kept.messages, kept.first_offset], [2, 1]);
  assert.ok(kept.bytes > 100 && awake_since <= created_at + 1_000 && created_at <= Date.now());
});

test("h4 e2 a user or a connection is closed with 4505 and the reason, at once gone", async () => {
  const room = freshRoom();
  const [ana, tab, bob] = [
    await join(server, room),
    await join(server, room),
    await join(server, room, { user: "bob" }),
  ];
  const path = `/room/${room}/disconnect`;
  const reason = "😀".repeat(40);
  assert.deepEqual((await post(server, path, { connection: tab.connection, reason })).body, { closed: 1 });
  const end = await tab.end();
  assert.deepEqual([end.code, end.reason], [4505, "😀".repeat(30)]);
  await bob.find({ type: "leave", connection: tab.connection });
  assert.deepEqual((await post(server, path, { user: "ana" })).body, { closed: 1 });
  assert.equal((await ana.end()).code, 4505);
  for (const nobody of [{ user: "ana" }, { connection: ana.connection }, { connection: "NOBODY" }]) {
    assert.deepEqual((await post(server, path, nobody)).body, { closed: 0 });
  }
  for (const wrong of [{}, { user: "a", connection: "b" }, { user: 7 }, { user: "a", ban_seconds: "x" }, "x"]) {
    assert.equal((await post(server, path, wrong)).body.error.code, "bad_message", JSON.stringify(wrong));
  }
  const back = await join(server, room, { resume: placeOf(ana) });
  assert.equal(back.connection, ana.connection, "without a ban the place is theirs");
});

test("h4 e2 a ban refuses the user until it ends, across restarts and deletion", async () => {
  const room = freshRoom();
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
  await post(server, `/room/${room}/disconnect`, { connection: ana.connection, ban_seconds: 600 });
  await post(server, `/room/${room}/disconnect`, { user: "cleo", ban_seconds: 600 });
  const ends = Date.now() + 3_000;
  await post(server, `/room/${room}/disconnect`, { user: "dora", ban_seconds: 3 });
  assert.equal((await ana.end()).code, 4505);
  const banned = async (user) => {
    const browser = await open(server, room, { user, resume: placeOf(ana) });
    assert.equal((await browser.end()).code, 4502);
    assert.equal(browser.messages[0].code, "banned");
    const plain = await open(server, room, { user, plain: true });
    assert.deepEqual([plain.refused?.status, plain.refused?.body.error.code], [403, "banned"]);
    const options = { user, claims: { room } };
    for (const path of ["/presence", "/history"]) {
      assert.equal((await get(server, `/room/${room}${path}`, options)).body.error.code, "banned");
    }
    assert.equal((await post(server, `/room/${room}/publish`, { event: "e" }, options)).body.error.code, "banned");
    const stream = await get(server, `/room/${room}`, { ...options, headers: { accept: "text/event-stream" } });
    assert.deepEqual([stream.status, stream.body.error.code], [403, "banned"]);
  };
  await banned("ana");
  await server.restart();
  await banned("cleo");
  await request(server, "DELETE", `/room/${room}`);
  await banned("cleo");
  await until(async () => {
    const dora = await open(server, room, { user: "dora" });
    await until(() => dora.messages.length, "an answer");
    return dora.welcome;
  }, "the ban to end");
  assert.ok(Date.now() >= ends - 100);
  for (const user of ["ana", "cleo"]) await banned(user);
  assert.equal(bob.closed !== undefined, true);
});

test("h5 e2 deletion closes everyone with 4506, erases, and a new epoch begins", async () => {
  const room = freshRoom();
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob", plain: true })];
  for (const text of ["1", "2", "3"]) await ana.publish("chat", text, { id: text });
  const { epoch } = ana.welcome;
  assert.equal((await request(server, "DELETE", `/room/${room}`)).status, 200);
  assert.deepEqual([(await ana.end()).code, (await bob.end()).code], [4506, 4506]);
  const fresh = await join(server, room, { resume: placeOf(ana) });
  assert.notEqual(fresh.welcome.epoch, epoch);
  assert.deepEqual([fresh.welcome.recovered, fresh.welcome.offset], [false, 0]);
  assert.deepEqual(
    fresh.welcome.members.map(({ connection }) => connection),
    [fresh.connection],
  );
  assert.equal((await fresh.publish("chat", "new", { id: "1" })).offset, 1);
  await server.restart();
  const { body } = await get(server, `/room/${room}/history`);
  assert.deepEqual([body.epoch, body.messages.map((message) => message.data)], [fresh.welcome.epoch, ["new"]]);
});

test("h5 a deletion in the middle of talk loses nothing that was acknowledged in the new epoch", async () => {
  const room = freshRoom();
  const ana = await join(server, room);
  const sends = setInterval(
    () => ana.socket.readyState === 1 && ana.send({ type: "publish", event: "e", data: "old" }),
    2,
  );
  await ana.find({ type: "message" });
  const deleted = request(server, "DELETE", `/room/${room}`);
  assert.equal((await ana.end()).code, 4506);
  clearInterval(sends);
  const fresh = await join(server, room);
  await deleted;
  assert.equal((await fresh.publish("chat", "new")).offset, 1);
  assert.deepEqual(data(fresh), ["new"]);
});

test("h5 a room that nobody uses writes nothing", async () => {
  const room = freshRoom();
  await get(server, `/room/${room}/presence`);
  await get(server, `/room/${room}/history`);
  await request(server, "DELETE", `/room/${room}`);
  const { epoch } = (await get(server, `/room/${room}`)).body;
  await server.restart();
  // What was not written is made up anew.
  assert.notEqual((await get(server, `/room/${room}`)).body.epoch, epoch);
});

test("h6 health, 404, 405 with Allow, and 413", async () => {
  const health = await get(server, "/health", { token: null });
  assert.deepEqual([health.status, health.body.ok], [200, true]);
  for (const path of ["/", "/rooms", "/room", "/room/a/b", "/room/a/publish/c", "/publish/", "/health/x", "//"]) {
    const { status, body } = await get(server, path);
    assert.deepEqual([status, body.error.code], [404, "not_found"], path);
  }
  assert.equal((await get(server, "/room/")).body.error.code, "invalid_room");
  const wrong = [
    ["POST", "/health", "GET, HEAD, OPTIONS"],
    ["GET", "/publish", "POST, OPTIONS"],
    ["POST", "/room/a", "GET, DELETE, OPTIONS"],
    ["PUT", "/room/a", "GET, DELETE, OPTIONS"],
    ["PATCH", "/room/a", "GET, DELETE, OPTIONS"],
    ["GET", "/room/a/publish", "POST, OPTIONS"],
    ["DELETE", "/room/a/presence", "GET, OPTIONS"],
    ["POST", "/room/a/history", "GET, OPTIONS"],
    ["GET", "/room/a/disconnect", "POST, OPTIONS"],
  ];
  for (const [method, path, allow] of wrong) {
    const { status, headers, body } = await request(server, method, path);
    assert.deepEqual(
      [status, body.error.code, headers.get("allow")],
      [405, "method_not_allowed", allow],
      `${method} ${path}`,
    );
  }
  const large = JSON.stringify({ messages: [{ room: "a", event: "e", data: "x".repeat(1_048_576) }] });
  for (const path of ["/publish", "/room/a/publish", "/room/a/disconnect"]) {
    const { status, body } = await post(server, path, large);
    assert.deepEqual([status, body.error.code], [413, "body_too_large"], path);
  }
  const padded = (bytes) => {
    const text = JSON.stringify({ messages: [{ room: "a", event: "e", ephemeral: true }], pad: "" });
    return text.replace('"pad":"', `$&${"x".repeat(bytes - text.length)}`);
  };
  assert.equal((await post(server, "/publish", padded(1_048_576))).status, 200);
  assert.equal((await post(server, "/publish", padded(1_048_577))).status, 413);
  const streamed = await fetch(`${server.url}/room/a/publish?token=${mint({ sub: "a", room: "a" })}`, {
    method: "POST",
    duplex: "half",
    // One byte too many: what the Worker leaves unread the runtime would cut off, perhaps before the answer is read.
    body: new Blob([...Array(16).fill("x".repeat(65_536)), "x"]).stream(),
  });
  assert.equal(streamed.status, 413);
  const fat = await post(server, "/room/a/publish", { event: "e", data: "x".repeat(65_536) });
  assert.deepEqual([fat.status, fat.body.error.code], [413, "message_too_large"]);
  const binary = await post(server, "/room/a/publish", Buffer.from([0xff, 0xfe]));
  assert.deepEqual([binary.status, binary.body.error.code], [400, "bad_message"]);
});
