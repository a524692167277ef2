// Rooms and who holds them: several at once, several holders, and how they are left.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createClient } from "../../src/index.ts";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { ANONYMOUS, ask, enter, freshRoom } from "./person.ts";
import { watchSockets } from "./sockets.ts";

// Nobody waits for the end of such a grace.
const server = await startServer(test, { vars: { ...ANONYMOUS, GRACE_SECONDS: 600 } });

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

test("a client in two rooms hears of each what happens there", async (t) => {
  const client = createClient({ url: server.url, user: "ana" });
  const [one, two] = [freshRoom(), freshRoom()];
  const here = await enter(t, server, { client, room: one, state: { in: one } });
  const there = await enter(t, server, { client, room: two, state: { in: two } });
  const bob = await enter(t, server, { user: "bob", room: two });
  await there.sees("ana", "bob");
  await Promise.all([here.room.publish("e", 1), there.room.publish("e", 2), bob.room.publish("e", 3)]);
  await Promise.all([here.hears(1), there.hears(2), there.hears(3), bob.hears(3)]);
  assert.deepEqual([here.heard, there.heard.toSorted(), here.users], [[1], [2, 3], ["ana"]]);
  await until(() => bob.stateOf("ana"), "the state");
  assert.deepEqual(bob.stateOf("ana"), { in: two });
  here.room.leave();
  await there.room.publish("e", 4);
  await bob.hears(4);
  assert.deepEqual([here.heard, bob.leaves], [[1], []]);
});

test("two holders of a room share a connection that ends with the last of them", async (t) => {
  const sockets = watchSockets();
  const room = freshRoom();
  const bob = await enter(t, server, { user: "bob", room });
  const client = createClient({ url: server.url, user: "ana", WebSocket: sockets.Class });
  const one = await enter(t, server, { client, room, state: { by: "one" } });
  const two = await enter(t, server, { client, room, state: { by: "two" } });
  await until(() => bob.stateOf("ana"), "the state");
  assert.deepEqual(bob.stateOf("ana"), { by: "one" }, "who comes second finds a state");
  assert.deepEqual([one.room.self, one.room.members], [two.room.self, two.room.members]);
  await bob.room.publish("e", 1);
  await Promise.all([one.hears(1), two.hears(1)]);
  one.room.leave();
  one.room.leave();
  await bob.room.publish("e", 2);
  await two.hears(2);
  assert.deepEqual([one.heard, two.heard, bob.leaves.length], [[1], [1, 2], 0]);
  assert.equal(sockets.all.length, 1);
  two.room.leave();
  await bob.sees("bob");
  assert.deepEqual([two.room.status, two.room.members, two.room.self], ["initial", [], null]);
});

test("a room that is held shares its connection, however much garbage was collected since", async (t) => {
  const sockets = watchSockets();
  const room = freshRoom();
  const client = createClient({ url: server.url, user: "ana", WebSocket: sockets.Class });
  const one = await enter(t, server, { client, room });
  for (let round = 0; round < 5; round++) {
    collectGarbage();
    // Weak references hold until the end of the turn.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const two = await enter(t, server, { client, room });
  assert.equal(two.room.self!.connection, one.room.self!.connection);
  assert.equal(sockets.all.length, 1);
});

test("R4: who leaves is gone at once, and what they said before arrives", async (t) => {
  const room = freshRoom();
  const bob = await enter(t, server, { user: "bob", room });
  const ana = await enter(t, server, { user: "ana", room });
  await bob.sees("ana", "bob");
  const farewell = ana.room.publish("e", "farewell");
  ana.room.leave();
  await assert.rejects(farewell, { code: "left", retryable: false });
  await bob.hears("farewell");
  await bob.sees("bob");
  assert.deepEqual([ana.statuses.at(-1), ana.leaves, ana.heard], ["initial", [], []]);
  await assert.rejects(ana.room.publish("e", 1), { code: "not_connected" });
});

test("R1: who left comes back as somebody new, with the state they ask for", async (t) => {
  const room = freshRoom();
  const bob = await enter(t, server, { user: "bob", room });
  const ana = await enter(t, server, { user: "ana", room, state: 1 });
  const before = ana.room.self!.connection;
  await until(() => bob.stateOf("ana") === 1, "the state");
  ana.room.presence.set(2);
  await until(() => bob.stateOf("ana") === 2, "the other state");
  ana.room.leave();
  await bob.sees("bob");
  await bob.room.publish("e", "meanwhile");
  ana.room.connect();
  await ana.is("connected");
  await until(() => bob.stateOf("ana") === 1, "the first state again");
  assert.notEqual(ana.room.self!.connection, before);
  assert.deepEqual([ana.heard, ana.gaps], [[], []]);
  assert.deepEqual([bob.joins.length, bob.leaves.length], [2, 1]);
});

test("a room that is not enabled connects when it is told to", async (t) => {
  const room = freshRoom();
  const ana = ask(t, server, { user: "ana", room, enabled: false });
  await assert.rejects(ana.room.publish("e", 1), { code: "not_connected" });
  assert.deepEqual([ana.room.status, ana.statuses], ["initial", []]);
  ana.room.connect();
  await ana.is("connected");
  assert.deepEqual([ana.statuses, ana.users], [["connecting", "connected"], ["ana"]]);
});

test("publishes made before the connection is there are sent when it is, in order", async (t) => {
  const ana = ask(t, server, { user: "ana", room: freshRoom() });
  const acks = await Promise.all([1, 2, 3].map((data) => ana.room.publish("e", data)));
  assert.deepEqual(acks.map(({ offset }) => offset), [1, 2, 3]);
  await ana.hears(3);
  assert.deepEqual(ana.heard, [1, 2, 3]);
});

test("M2, M3: ephemeral messages and such for some arrive where they should", async (t) => {
  const room = freshRoom();
  const [ana, bob, eve] = await Promise.all(["ana", "bob", "eve"].map((user) => enter(t, server, { user, room })));
  assert.deepEqual(await ana!.room.publish("e", "quick", { ephemeral: true }), {});
  assert.equal((await ana!.room.publish("e", "psst", { to: ["user:bob"] })).offset, undefined);
  assert.equal((await ana!.room.publish("e", "not me", { echo: false })).offset, 1);
  assert.equal((await ana!.room.publish("e", "end")).offset, 2);
  await Promise.all([ana!.hears("end"), bob!.hears("end"), eve!.hears("end")]);
  assert.deepEqual(ana!.heard, ["quick", "end"]);
  assert.deepEqual(bob!.heard, ["quick", "psst", "not me", "end"]);
  assert.deepEqual(eve!.heard, ["quick", "not me", "end"]);
  assert.equal(bob!.messages[1]!.private, true);
});

test("a process ends after its rooms were left, whatever state they were in", async () => {
  const script = `
    import { createClient } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)};
    const client = createClient({ url: ${JSON.stringify(server.url)}, user: "ana" });
    const nobody = createClient({ url: "http://127.0.0.1:1", user: "ana" });
    const rooms = [client.room("exit"), client.room("exit-2", { state: 1, history: 5 }), nobody.room("exit")];
    rooms[0].watch("status", async (status) => {
      if (status !== "connected") return;
      await rooms[0].publish("e", 1);
      rooms[1].presence.update({ x: 1 });
      for (const room of rooms) room.leave();
      process.stdout.write("left");
    });
  `;
  const child = spawn(process.execPath, ["--no-warnings", "--input-type=module", "--eval", script]);
  let output = "";
  let ended = false;
  child.on("close", () => (ended = true));
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  await until(() => output !== "" || ended, "the rooms to be left");
  const leftAt = performance.now();
  await until(() => ended, "the process to end");
  assert.deepEqual([output, child.exitCode], ["left", 0]);
  // Less than any timer of a room that is still there would take: the first ping is due after 25 s.
  assert.ok(performance.now() - leftAt < 15_000, `it took ${performance.now() - leftAt} ms`);
});
