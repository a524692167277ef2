import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, placeOf, post } from "./client.mjs";
import { startServer } from "./server.mjs";

const server = await startServer(test, { vars: { GRACE_SECONDS: 2 } });
const trio = (room) => Promise.all(["ana", "bob", "cleo"].map((user) => join(server, room, { user })));

test("m1 every connection sees every message, the sender's too, in one order with dense offsets", async () => {
  const crowd = await trio(freshRoom());
  const before = Date.now();
  for (let round = 0; round < 20; round++) {
    for (const who of crowd) who.send({ type: "publish", event: "chat", data: `${who.welcome.user.id} ${round}` });
  }
  for (const who of crowd) await who.find({ type: "message", offset: 60 });
  const [first, ...others] = crowd.map((who) => who.all("message"));
  assert.deepEqual(
    first.map(({ offset }) => offset),
    Array.from({ length: 60 }, (_, index) => index + 1),
  );
  for (const other of others) assert.deepEqual(other, first);
  const { at, data, ...rest } = first[0];
  const sender = crowd.find((who) => who.connection === rest.from);
  assert.deepEqual(rest, {
    type: "message",
    event: "chat",
    from: sender.connection,
    user: sender.welcome.user.id,
    offset: 1,
  });
  assert.ok(at >= before - 1 && at <= Date.now() + 1);
  assert.equal(data, `${sender.welcome.user.id} 0`);
});

test("m1 data is passed on as the JSON text that it arrived as", async () => {
  const [ana, bob] = await trio(freshRoom());
  const texts = [
    "12345678901234567890.10",
    '{"b":1,"a":[1.0,1e400,-0]}',
    '"\\u00e9é\\/\\ud83d\\ude00"',
    '{"x":1,"x":2}',
    "null",
  ];
  for (const text of texts) ana.send(`{"type":"publish","event":"e","data":${text}}`);
  await bob.find({ offset: texts.length });
  const came = bob.frames.join("\n");
  for (const text of texts) assert.ok(came.includes(`"data":${text},`), `${text} in ${came}`);
});

test("m2 an ephemeral message is delivered without offset and at, and not stored", async () => {
  const room = freshRoom();
  const [ana, bob] = await trio(room);
  assert.deepEqual(await ana.publish("cursor", [1, 2], { ephemeral: true, id: "e1" }), { type: "ack", id: "e1" });
  for (const who of [ana, bob]) {
    const message = await who.find({ type: "message", event: "cursor" });
    assert.deepEqual(message, { type: "message", event: "cursor", data: [1, 2], from: ana.connection, user: "ana" });
  }
  assert.deepEqual((await get(server, `/room/${room}/history`)).body.messages, []);
});

test("m3 to reaches those alone, by connection or by user, once each", async () => {
  const room = freshRoom();
  const [ana, bob, cleo] = await trio(room);
  const second = await join(server, room, { user: "bob" });
  await ana.publish("dm", 1, { to: [bob.connection] });
  await ana.publish("dm", 2, { to: ["user:bob", bob.connection, "user:nobody", "zzzz"] });
  await ana.publish("dm", 3, { to: ["user:ana", "user:cleo"] });
  for (const who of [ana, bob, cleo, second]) await who.settled();
  const got = [ana, bob, second, cleo].map((who) => who.all("message").map(({ data }) => data));
  assert.deepEqual(got, [[3], [1, 2], [2], [3]]);
  assert.deepEqual(bob.all("message")[0], {
    type: "message",
    event: "dm",
    data: 1,
    from: ana.connection,
    user: "ana",
    private: true,
  });
  assert.equal((await get(server, `/room/${room}`)).body.offset, 0);
});

test("m3 echo false leaves a skip in the sender's place, live and in replay", async () => {
  const room = freshRoom();
  const [ana, bob] = await trio(room);
  await ana.publish("chat", 1, { echo: false });
  await ana.publish("chat", 2, { echo: false, ephemeral: true });
  await ana.settled();
  assert.deepEqual(ana.all("skip"), [{ type: "skip", offset: 1 }]);
  assert.deepEqual(ana.all("message"), []);
  await bob.find({ data: 2 });
  const place = placeOf(ana, 0);
  ana.drop();
  const again = await join(server, room, { resume: place });
  assert.deepEqual([again.welcome.recovered, (await again.next("skip")).offset], [true, 1]);
  await again.settled();
  assert.deepEqual(again.all("message"), []);
  const other = await join(server, room, { user: "bob", resume: placeOf(bob, 0) });
  assert.equal((await other.next("message")).data, 1);
});

test("m4 the same id counts once, and gets the same ack", async () => {
  const room = freshRoom();
  const [ana, bob] = await trio(room);
  const first = await ana.publish("chat", "one", { id: "x" });
  assert.deepEqual(await ana.publish("chat", "two", { id: "x" }), first);
  // The id of another connection is another id, and so is that of the same user over HTTP.
  assert.equal((await bob.publish("chat", "bob's", { id: "x" })).offset, 2);
  const overHttp = { event: "chat", data: "http", id: "x" };
  const options = { user: "ana", claims: { room, can: ["publish"] } };
  for (const _ of "12") assert.equal((await post(server, `/room/${room}/publish`, overHttp, options)).body.offset, 3);
  // Twice in one frame, before anything is stored.
  ana.send([
    { type: "publish", event: "chat", data: "f", id: "y" },
    { type: "publish", event: "chat", data: "g", id: "y" },
  ]);
  await ana.next({ type: "ack", id: "y" });
  await ana.settled();
  assert.deepEqual(
    ana.all({ type: "ack", id: "y" }).map(({ offset }) => offset),
    [4, 4],
  );
  assert.deepEqual(
    ana.all("message").map(({ data }) => data),
    ["one", "bob's", "http", "f"],
  );
});

test("m4 r1 the same id counts once across a killed server", async () => {
  const room = freshRoom();
  const [ana, bob] = await trio(room);
  const first = await ana.publish("chat", "one", { id: "x" });
  const places = [placeOf(ana), placeOf(bob)];
  await server.restart();
  const again = await join(server, room, { resume: places[0] });
  const other = await join(server, room, { user: "bob", resume: places[1] });
  assert.equal(again.connection, ana.connection);
  assert.deepEqual(await again.publish("chat", "one", { id: "x" }), first);
  assert.equal((await other.publish("chat", "two", { id: "x" })).offset, 2);
  await again.settled();
  assert.deepEqual(
    again.all("message").map(({ data }) => data),
    ["two"],
  );
});

test("m5 what was acknowledged survives kills in the middle of talk, and no offset is taken back", async () => {
  const room = freshRoom();
  let ana = await join(server, room);
  let bob = await join(server, room, { user: "bob" });
  const acknowledged = [];
  const seen = new Map();
  for (let round = 0; round < 5; round++) {
    for (let index = 0; index < 30; index++)
      ana.send({ type: "publish", event: "e", data: `${round}/${index}`, id: `${round}/${index}` });
    // In the middle of it, a different middle each time.
    await ana.find({ type: "ack", id: `${round}/${round * 7}` });
    await server.kill();
    await Promise.all([ana.end(), bob.end()]);
    for (const ack of ana.all("ack")) acknowledged.push(ack);
    for (const { offset, data } of [...ana.all("message"), ...bob.all("message")]) {
      assert.equal(seen.get(offset) ?? data, data, `offset ${offset} has one meaning`);
      seen.set(offset, data);
    }
    await server.start();
    const places = [placeOf(ana), placeOf(bob)];
    ana = await join(server, room, { resume: places[0] });
    bob = await join(server, room, { user: "bob", resume: places[1] });
    assert.deepEqual([ana.welcome.recovered, bob.welcome.recovered], [true, true]);
  }
  const { messages } = (await get(server, `/room/${room}/history?after=0&limit=500`)).body;
  const stored = new Map(messages.map(({ offset, data }) => [offset, data]));
  for (const { id, offset } of acknowledged) assert.equal(stored.get(offset), id);
  for (const [offset, data] of seen) assert.equal(stored.get(offset), data);
  assert.deepEqual(
    [...stored.keys()],
    Array.from({ length: stored.size }, (_, index) => index + 1),
  );
});

test("m6 a connection gets messages, acks and errors in the order in which the room took them", async () => {
  const [ana, bob] = await trio(freshRoom());
  ana.send([
    { type: "publish", event: "e", data: 1, id: "a" },
    { type: "publish", event: "e", data: 2, ephemeral: true },
    { type: "dance", id: "b" },
    { type: "publish", event: "e", data: 3, to: [ana.connection, bob.connection] },
    { type: "publish", event: "e", data: 4, id: "c" },
    { type: "publish", event: "e", data: 5, echo: false },
    { type: "history", id: "h", limit: 1 },
    { type: "publish", event: "e", data: 6, ephemeral: true, id: "d" },
  ]);
  await ana.next({ type: "ack", id: "d" });
  const named = (who) =>
    who.messages
      .filter(({ type }) => !["welcome", "join"].includes(type))
      .map(({ type, id, data, offset }) => `${type} ${id ?? data ?? offset}`);
  assert.deepEqual(named(ana), [
    "message 1",
    "ack a",
    "message 2",
    "error b",
    "message 3",
    "message 4",
    "ack c",
    "skip 3",
    "history h",
    "message 6",
    "ack d",
  ]);
  await bob.find({ data: 6 });
  assert.deepEqual(
    named(bob),
    [1, 2, 3, 4, 5, 6].map((data) => `message ${data}`),
  );
});

test("m6 many messages in a short time share frames", async () => {
  const crowd = await trio(freshRoom());
  for (let index = 0; index < 150; index++) crowd[0].send({ type: "publish", event: "e", data: index });
  await crowd[1].find({ offset: 150 });
  assert.ok(crowd[1].frames.length < 100, `${crowd[1].frames.length} frames`);
});

test("m7 publishing needs publish, and receiving subscribe", async () => {
  const room = freshRoom();
  const reader = await join(server, room, { user: "reader", claims: { can: ["subscribe"] } });
  const writer = await join(server, room, { user: "writer", claims: { can: ["publish"] } });
  const error = await reader.publish("chat", 1, { id: "m" });
  assert.deepEqual([error.type, error.code, error.id, error.retryable], ["error", "forbidden", "m", false]);
  assert.equal((await writer.publish("chat", 2)).offset, 1);
  await writer.publish("chat", 3, { to: [writer.connection] });
  assert.equal((await reader.find("message")).data, 2);
  await writer.settled();
  assert.deepEqual(writer.all("message"), []);
  reader.send({ type: "history", id: "h" });
  assert.equal((await reader.next({ type: "error", id: "h" })).code, "forbidden");
});

test("n5 without history offsets still grow and persist", async (t) => {
  const none = await startServer(t, { vars: { HISTORY_MESSAGES: 0 } });
  const room = freshRoom();
  const ana = await join(none, room);
  assert.equal((await ana.publish("chat", 1, { id: "x" })).offset, 1);
  assert.equal((await ana.publish("chat", 1, { id: "x" })).offset, 1, "ids count once while it is in memory");
  const place = placeOf(ana, 0);
  await none.restart();
  const again = await join(none, room, { resume: place });
  assert.deepEqual([again.welcome.recovered, again.welcome.offset], [false, 1]);
  assert.equal((await again.publish("chat", 2)).offset, 2);
  assert.deepEqual((await get(none, `/room/${room}/history`)).body.messages, []);
});

test("n5 the history keeps the last messages, in number and in bytes", async (t) => {
  const small = await startServer(t, { vars: { HISTORY_MESSAGES: 10, HISTORY_BYTES: 65_536 } });
  const [few, fat] = [freshRoom(), freshRoom()];
  const ana = await join(small, few);
  for (let index = 1; index <= 25; index++) await ana.publish("e", index);
  const history = async (room) => (await get(small, `/room/${room}/history?limit=500`)).body.messages;
  assert.deepEqual(
    (await history(few)).map(({ data }) => data),
    [16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
  );
  const bob = await join(small, fat);
  for (let index = 1; index <= 5; index++) await bob.publish("e", index + "x".repeat(30_000));
  const kept = (await history(fat)).map(({ offset }) => offset);
  assert.deepEqual(kept, [4, 5]);
  const { body } = await get(small, `/room/${fat}`);
  assert.deepEqual([body.history.messages, body.history.first_offset], [2, 4]);
  assert.ok(body.history.bytes > 60_000 && body.history.bytes < 65_536);
});
