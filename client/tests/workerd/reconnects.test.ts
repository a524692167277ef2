// Many connections one after the other leave nothing behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createClient } from "../../src/index.ts";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { startNetwork } from "./network.ts";
import { ANONYMOUS, ask, enter, hasten } from "./person.ts";
import { watchSockets } from "./sockets.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

// One user comes more often than N11 allows otherwise.
const server = await startServer(test, { vars: { ...ANONYMOUS, MAX_CONNECTIONS_PER_USER: 1_000 } });
hasten(test, 10_000);

/** How many there are of each thing that may keep a process alive. */
const handles = (kind: "Timeout" | "TCPSocketWrap") => process.getActiveResourcesInfo().filter((name) => name === kind).length;

function heap(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test("R1, R2: 200 connections in a row lose nothing, and leave no timers, sockets or memory behind", async (t) => {
  const network = await startNetwork(t, server);
  const sockets = watchSockets();
  const bob = await enter(t, server, { user: "bob" });
  const ana = await enter(t, network, { user: "ana", state: { x: 1 }, WebSocket: sockets.Class });
  const { connection } = ana.room.self!;
  let offset = 0;
  const round = async () => {
    const before = sockets.all.length;
    const ack = ana.room.publish("e", offset + 1);
    network.cut();
    await until(() => sockets.all.length > before && ana.room.status === "connected", "the next connection");
    await ack;
    await ana.hears(++offset);
  };
  for (let count = 0; count < 50; count++) await round();
  // What is remembered for the test itself is the same at both times.
  const forget = () => [sockets.sent, ana.lists, bob.lists, ana.statuses].forEach((list) => (list.length = 0));
  const rest = async () => {
    forget();
    sockets.all.splice(0, sockets.all.length - 1);
    await until(() => network.alive === 1, "the old sockets to be gone");
    // Both ends of the two connections, and the proxy's.
    await until(() => handles("TCPSocketWrap") <= 6, () => `${handles("TCPSocketWrap")} sockets to end`);
    return { timers: handles("Timeout"), heap: heap() };
  };
  const before = await rest();
  for (let count = 0; count < 150; count++) await round();
  const after = await rest();
  assert.deepEqual(ana.heard, Array.from({ length: 200 }, (_, index) => index + 1));
  await bob.hears(200);
  assert.deepEqual(bob.heard, ana.heard);
  assert.deepEqual([ana.room.self!.connection, ana.gaps, ana.errors, bob.leaves], [connection, [], [], []]);
  assert.ok(after.timers <= before.timers + 2, `${before.timers} timers became ${after.timers}`);
  const grown = after.heap - before.heap;
  assert.ok(grown < 1_500_000, `150 connections left ${Math.round(grown / 1_000)} kB behind`);
});

test("rooms that are entered and left leave nothing behind", async (t) => {
  const client = createClient({ url: server.url, user: "ana" });
  const visit = async (count: number) => {
    const owner = { after: () => {} };
    const one = await enter(owner, server, { client, room: `visit-${count}`, history: 5, state: { count } });
    const two = ask(owner, server, { client, room: `visit-${count}`, history: 5 });
    await one.room.publish("e", count);
    await two.hears(count);
    one.room.leave();
    two.room.leave();
  };
  for (let count = 0; count < 30; count++) await visit(count);
  const rest = async () => {
    // Sockets take a moment for their goodbye.
    await until(() => handles("TCPSocketWrap") <= 4, () => `${handles("TCPSocketWrap")} sockets to end`);
    return heap();
  };
  const before = await rest();
  for (let count = 30; count < 130; count++) await visit(count);
  const grown = (await rest()) - before;
  assert.ok(grown < 1_000_000, `100 rooms left ${Math.round(grown / 1_000)} kB behind`);
  t.diagnostic(`${grown} bytes`);
});
