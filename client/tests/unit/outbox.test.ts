// What is published: that it counts once, in order, whatever happens to the connection, and what becomes of its promise.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fate, heard, ids, refusal, settled, stored, why, world } from "./fake.ts";

test("M4: a publish has an id, and is fulfilled by its ack", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const [one, two] = [fate(room.publish("chat", { text: "hi" })), room.publish("chat", null, { echo: false })];
  assert.deepEqual(it.socket.messages, [
    { type: "publish", id: "1", event: "chat", data: { text: "hi" } },
    { type: "publish", id: "2", event: "chat", data: null, echo: false },
  ]);
  it.socket.tell({ type: "ack", id: "2", offset: 8 });
  assert.equal((await two).offset, 8);
  assert.equal(one.is, "pending");
  it.socket.tell({ type: "ack", id: "1", offset: 7 }, { type: "ack", id: "1", offset: 7 });
  await settled();
  assert.equal((one.is as any).offset, 7);
});

test("what is published before there is a connection is sent with it, in order", async (t) => {
  const it = world(t);
  const room = it.room();
  for (const n of [1, 2, 3]) void room.publish("chat", n);
  assert.deepEqual(it.socket.sent, []);
  it.socket.welcome();
  assert.deepEqual(it.socket.messages.map(({ data }) => data), [1, 2, 3]);
});

test("M4: what has no ack is sent again after the drop, with the same ids and in order, before what is new", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const all = [1, 2, 3].map((n) => fate(room.publish("chat", n)));
  it.socket.ack("2");
  it.socket.end();
  void room.publish("chat", 4);
  (await it.next()).welcome({ recovered: true });
  void room.publish("chat", 5);
  assert.deepEqual(ids(it.socket), ["1", "3", "4", "5"]);
  assert.deepEqual(it.socket.messages.map(({ data }) => data), [1, 3, 4, 5]);
  it.socket.ack("1", "3");
  it.socket.end();
  (await it.next()).welcome({ recovered: true });
  assert.deepEqual(ids(it.socket), ["4", "5"]);
  await settled();
  assert.ok(all.every(({ is }) => is !== "pending"));
});

test("M4: ids go on after leaving: an id never stands for two messages", async (t) => {
  const it = world(t);
  const room = await it.enter();
  void room.publish("chat", 1);
  room.leave();
  room.connect();
  it.socket.welcome();
  void room.publish("chat", 2);
  assert.deepEqual(ids(it.socket), ["2"]);
});

test("data that is changed after the publish is sent again as it was", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const data = { text: "then" };
  void room.publish("chat", data);
  data.text = "now";
  it.socket.end();
  (await it.next()).welcome();
  assert.deepEqual(it.socket.messages[0].data, { text: "then" });
});

test("M5: what may succeed later is tried again, after a second or what the room asks for", async (t) => {
  for (const [retry_after, pause] of [[undefined, 1_000], [50, 1_000], [2_500, 2_500]] as const) {
    const it = world(t);
    const room = await it.enter();
    const errors = heard(room, "error");
    const sent = fate(room.publish("chat", 1));
    it.socket.tell(refusal("1", "storage_failed", true, retry_after));
    await it.pass(pause - 1);
    assert.deepEqual(ids(it.socket), ["1"]);
    await it.pass(1);
    assert.deepEqual(ids(it.socket), ["1", "1"]);
    it.socket.ack("1");
    await settled();
    assert.notEqual(sent.is, "pending");
    assert.deepEqual(errors, [], "nobody need know");
    await it.pass(10_000);
    assert.equal(ids(it.socket).length, 2);
    t.mock.restoreAll();
  }
});

test("E3: while one waits to be tried again, those after it wait behind it", async (t) => {
  const it = world(t);
  const room = await it.enter();
  void room.publish("chat", 1);
  it.socket.tell(refusal("1", "rate_limited", true, 3_000));
  void room.publish("chat", 2);
  await it.pass(2_999);
  assert.deepEqual(ids(it.socket), ["1"]);
  await it.pass(1);
  assert.deepEqual(ids(it.socket), ["1", "1", "2"]);
});

test("N6: after a long time without connection, no more is sent in a second than the room takes", async (t) => {
  const it = world(t);
  const room = it.room();
  for (let n = 1; n <= 25; n++) void room.publish("chat", n);
  it.socket.welcome({ limits: { message_bytes: 65_536, state_bytes: 1, rate_per_second: 10 } });
  assert.equal(ids(it.socket).length, 10);
  void room.publish("chat", 26);
  assert.equal(ids(it.socket).length, 10, "a new one waits behind");
  it.socket.ack(...ids(it.socket));
  await it.pass(999);
  assert.equal(ids(it.socket).length, 10);
  await it.pass(1);
  assert.equal(ids(it.socket).length, 20);
  await it.pass(1_000);
  assert.deepEqual(ids(it.socket), Array.from({ length: 26 }, (_, index) => `${index + 1}`));
});

test("E1: an error that would come again rejects, as the server words it, and is told", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const errors = heard(room, "error");
  const sent = room.publish("chat", "x".repeat(100));
  it.socket.tell(refusal("1", "message_too_large", false));
  const error = await sent.then(() => assert.fail(), (reason) => reason);
  assert.deepEqual([error.name, error.code, error.message, error.retryable, error.hint], [
    "RoomfulError",
    "message_too_large",
    "It is message_too_large.",
    false,
    "Do.",
  ]);
  assert.deepEqual(errors, [error]);
  it.socket.end();
  (await it.next()).welcome();
  assert.deepEqual(ids(it.socket), []);
});

test("N4: what is larger than the room would read is refused here, and nothing waits behind it", async (t) => {
  const it = world(t);
  const room = it.room();
  const large = "x".repeat(1_024);
  const early = fate(room.publish("chat", large));
  it.socket.welcome({ limits: { message_bytes: 1_024, state_bytes: 1, rate_per_second: 100 } });
  // Bytes count, not characters.
  const [stored, only] = [fate(room.publish("chat", "é".repeat(500))), fate(room.publish("chat", large, { to: ["2"] }))];
  void room.publish("chat", "short");
  await settled();
  assert.deepEqual([early.is, stored.is, only.is], ["message_too_large", "message_too_large", "message_too_large"]);
  assert.deepEqual(it.socket.messages.map(({ data }) => data), ["short"]);
  it.socket.ack(...ids(it.socket));
  const { length } = JSON.stringify({ type: "publish", event: "chat", data: "", id: "5" });
  const [fits, over] = [1_024, 1_025].map((size) => fate(room.publish("chat", "x".repeat(size - length))));
  await settled();
  assert.deepEqual([fits!.is, over!.is], ["pending", "message_too_large"]);
  it.socket.end();
  (await it.next()).welcome({ recovered: true });
  assert.deepEqual(ids(it.socket), ["5"]);
});

test("E1: an error without id, or with one that nobody knows, is told", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const errors = heard(room, "error");
  it.socket.tell(refusal(undefined, "rate_limited", true, 250), refusal("9", "internal", true));
  assert.deepEqual(errors.map(({ code, retryAfter }) => [code, retryAfter]), [["rate_limited", 250], ["internal", undefined]]);
});

test("more than the outbox holds is refused at once, and what it holds is not lost", async (t) => {
  const it = world(t, { outbox: 2 });
  const room = it.room();
  const all = [1, 2, 3].map((n) => room.publish("chat", n));
  const error = await all[2]!.then(() => assert.fail(), (reason) => reason);
  assert.deepEqual([error.code, error.retryable], ["outbox_full", true]);
  it.socket.welcome();
  assert.deepEqual(it.socket.messages.map(({ data }) => data), [1, 2]);
  it.socket.ack("1");
  void room.publish("chat", 4);
  assert.deepEqual(it.socket.messages.map(({ data }) => data), [1, 2, 4]);
});

test("leaving rejects what waits, and so does the end; a new connection sends nothing of it", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const [sent, page] = [fate(room.publish("chat", 1)), fate(room.history())];
  room.leave();
  await settled();
  assert.deepEqual([sent.is, page.is], ["left", "left"]);
  const after = fate(room.publish("chat", 2));
  await settled();
  assert.equal(after.is, "not_connected");

  room.connect();
  it.socket.welcome();
  assert.deepEqual(it.socket.messages, []);
  const stopped = fate(room.publish("chat", 3));
  it.socket.end(4505);
  const late = fate(room.publish("chat", 4));
  const ephemeral = fate(room.publish("chat", 5, { ephemeral: true }));
  await settled();
  assert.deepEqual([stopped.is, late.is, ephemeral.is], ["removed", "removed", "removed"]);
  room.connect();
  it.socket.welcome();
  assert.deepEqual(it.socket.messages, []);
});

test("a room that never was connected publishes nothing", async (t) => {
  const it = world(t);
  const sent = fate(it.room({ enabled: false }).publish("chat", 1));
  await settled();
  assert.equal(sent.is, "not_connected");
});

test("nobody publishes in the name of another: a new user sends nothing of the old one", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const sent = fate(room.publish("chat", "as ana"));
  it.socket.end();
  (await it.next()).welcome({ user: { id: "bob", info: {} }, connection: "9", recovered: false });
  await settled();
  assert.equal(sent.is, "user_changed");
  assert.deepEqual(it.socket.messages, []);
  void room.publish("chat", "as bob");
  assert.equal(ids(it.socket).length, 1);
});

test("a promise that nobody looks at does no harm", async (t) => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => void rejections.push(reason);
  process.on("unhandledRejection", note);
  t.after(() => process.off("unhandledRejection", note));
  const it = world(t, { outbox: 1 });
  const room = await it.enter();
  void room.publish("chat", 1);
  void room.publish("chat", 2);
  void room.history();
  it.socket.bufferedAmount = 1e9;
  void room.publish("cursor", 3, { ephemeral: true });
  it.socket.tell(refusal("1", "forbidden", false));
  void room.publish("dm", 4, { to: ["x"] });
  it.socket.end(4505);
  void room.publish("chat", 5);
  room.leave();
  void room.publish("chat", 6);
  await settled();
  assert.deepEqual(rejections, []);
});

test("R6: a page of the history, by what was asked for", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const page = room.history({ before: 9, limit: 2 });
  assert.deepEqual(it.socket.messages, [{ type: "history", id: "1", before: 9, limit: 2 }]);
  it.socket.tell({ type: "history", id: "1", messages: [stored(7), stored(8)], epoch: "e1", more: true });
  assert.deepEqual(await page, { messages: [stored(7), stored(8)], more: true });
  const waits = fate(room.history());
  it.socket.end();
  await settled();
  assert.equal(waits.is, "pending");
  (await it.next()).welcome();
  assert.deepEqual(it.socket.messages, [{ type: "history", id: "2" }], "asked again");
  it.socket.tell(refusal("2", "forbidden", false));
  await settled();
  assert.equal(waits.is, "forbidden");
  assert.equal(why(room), undefined);
});

test("R6: a page of the history can be asked for behind a full outbox", async (t) => {
  const it = world(t, { outbox: 1 });
  const room = it.room();
  void room.publish("chat", 1);
  const page = fate(room.history());
  it.socket.welcome();
  await settled();
  assert.equal(page.is, "pending");
  assert.deepEqual(it.socket.messages.map(({ type }) => type), ["publish", "history"]);
});
