// More than a connection may send: everything arrives all the same, only later.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { startNetwork } from "./network.ts";
import { ANONYMOUS, enter, freshRoom } from "./person.ts";
import { watchSockets } from "./sockets.ts";

const server = await startServer(test, { vars: ANONYMOUS });
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

test("N6, E3: 500 publishes at once arrive, each once, beside a state that changes", async (t) => {
  const room = freshRoom();
  const sockets = watchSockets();
  const bob = await enter(t, server, { user: "bob", room });
  const ana = await enter(t, server, { user: "ana", room, outbox: 500, WebSocket: sockets.Class, state: { n: -1 } });
  const acks = numbers(500).map((data) => {
    ana.room.presence.update({ n: data });
    return ana.room.publish("e", data);
  });
  await assert.rejects(ana.room.publish("e", "too many"), { code: "outbox_full", retryable: true });
  const offsets = (await Promise.all(acks)).map(({ offset }) => offset);
  await bob.hears(499);
  await until(() => bob.heard.length === 500, "all of them");
  assert.deepEqual(bob.heard.map(Number).toSorted((a, b) => a - b), numbers(500));
  assert.deepEqual(offsets, numbers(500).map((data) => bob.messages.find((message) => message.data === data)!.offset));
  assert.deepEqual([sockets.all.length, ana.statuses, ana.errors, bob.leaves], [1, ["connected"], [], []]);
  await t.test("in order", () => {
    assert.deepEqual(bob.heard, numbers(500));
  });
});

test("N6: what was published without a connection arrives in order when there is one", async (t) => {
  const room = freshRoom();
  const network = await startNetwork(t, server);
  const bob = await enter(t, server, { user: "bob", room });
  const ana = await enter(t, network, { user: "ana", room });
  network.refusing = true;
  network.cut();
  await ana.is("reconnecting");
  const acks = numbers(200).map((data) => ana.room.publish("e", data));
  await assert.rejects(ana.room.publish("e", 200), { code: "outbox_full" });
  network.refusing = false;
  ana.room.connect();
  await Promise.all(acks);
  await ana.room.publish("e", 200);
  await bob.hears(200);
  assert.deepEqual(bob.heard, numbers(201));
});

test("N4: what is larger than the room takes is refused, and the rest goes on", async (t) => {
  const room = freshRoom();
  const bob = await enter(t, server, { user: "bob", room });
  const ana = await enter(t, server, { user: "ana", room });
  const bytes = (data: string, n: number) => JSON.stringify({ type: "publish", event: "e", data, id: `${n}` }).length;
  const most = "x".repeat(65_536 - bytes("", 1));
  await ana.room.publish("e", most);
  await assert.rejects(ana.room.publish("e", `${most}x`), { code: "message_too_large", retryable: false });
  await assert.rejects(ana.room.publish("e", "é".repeat(40_000)), { code: "message_too_large" });
  await ana.room.publish("e", "after");
  await bob.hears("after");
  assert.deepEqual([bob.heard, ana.errors, ana.statuses], [[most, "after"], [], ["connected"]]);
});
