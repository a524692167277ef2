// What is published for this moment alone: it goes out now or never.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fate, ids, refusal, settled, world } from "./fake.ts";

test("M2: what is ephemeral has no id, is fulfilled at once, and is never sent again", async (t) => {
  const it = world(t);
  const room = await it.enter();
  assert.deepEqual(await room.publish("cursor", { x: 1 }, { ephemeral: true }), {});
  assert.deepEqual(it.socket.messages, [{ type: "publish", event: "cursor", data: { x: 1 }, ephemeral: true }]);
  it.socket.end();
  (await it.next()).welcome();
  assert.deepEqual(it.socket.messages, []);
});

test("M2: what is ephemeral does not wait, neither for a connection nor behind 64 KiB", async (t) => {
  const it = world(t);
  const room = it.room();
  const early = fate(room.publish("cursor", 1, { ephemeral: true }));
  await settled();
  assert.equal(early.is, "not_connected");
  it.socket.welcome();
  it.socket.bufferedAmount = 65_536;
  const lagging = fate(room.publish("cursor", 2, { ephemeral: true }));
  const kept = fate(room.publish("chat", 3));
  await settled();
  assert.equal(lagging.is, "not_connected");
  assert.equal(kept.is, "pending");
  assert.deepEqual(it.socket.messages.map(({ data }) => data), [3]);
  it.socket.bufferedAmount = 65_535;
  await room.publish("cursor", 4, { ephemeral: true });
});

test("N4: what is ephemeral and larger than the room would read is refused here", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { limits: { message_bytes: 1_024, state_bytes: 1, rate_per_second: 100 } });
  const { length } = JSON.stringify({ ephemeral: true, type: "publish", event: "e", data: "" });
  const [fits, over] = [1_024, 1_025].map((size) =>
    fate(room.publish("e", "x".repeat(size - length), { ephemeral: true })),
  );
  await settled();
  assert.deepEqual([fits!.is, over!.is], [{}, "message_too_large"]);
  assert.equal(it.socket.messages.length, 1);
});

test("M2: where nobody knows what is still on its way, it goes out", async (t) => {
  const it = world(t);
  const room = await it.enter();
  it.socket.bufferedAmount = undefined;
  await room.publish("cursor", 1, { ephemeral: true });
  void room.publish("chat", 2);
  assert.deepEqual(it.socket.messages.map(({ data }) => data), [1, 2]);
});

test("M3: what is for some is sent once, and fulfilled by its ack", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const options = { to: ["2", "user:bob"], ephemeral: true };
  const sent = fate(room.publish("dm", "psst", options));
  assert.deepEqual(it.socket.messages, [{ type: "publish", id: "1", event: "dm", data: "psst", ...options }]);
  it.socket.ack("1");
  const lost = fate(room.publish("dm", 2, { to: ["2"] }));
  const refused = fate(room.publish("dm", 3, { to: ["2"] }));
  it.socket.tell(refusal("3", "rate_limited", true, 100));
  await settled();
  assert.notEqual(sent.is, "pending");
  assert.equal(refused.is, "rate_limited");
  assert.equal(lost.is, "pending");
  it.socket.end();
  await settled();
  assert.equal(lost.is, "not_connected");
  const offline = fate(room.publish("dm", 4, { to: ["2"] }));
  await settled();
  assert.equal(offline.is, "not_connected");
  (await it.next()).welcome();
  assert.deepEqual(it.socket.messages, []);
});

test("M3: what is for some goes out while stored ones wait for their turn", async (t) => {
  const it = world(t);
  const room = await it.enter();
  void room.publish("chat", 1);
  it.socket.tell(refusal("1", "storage_failed", true));
  const sent = fate(room.publish("dm", 2, { to: ["2"] }));
  await settled();
  assert.equal(sent.is, "pending");
  assert.deepEqual(ids(it.socket), ["1", "2"]);
  it.socket.ack("2");
  await settled();
  assert.notEqual(sent.is, "not_connected");
});
