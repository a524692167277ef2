// Several who hold the same room: one connection, and each their own handlers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../src/index.ts";
import { collect, fate, heard, settled, stored, told, world } from "./fake.ts";

test("two holders share a socket, the members and the state, and have handlers of their own", async (t) => {
  const it = world(t);
  const [one, two] = [it.room(), it.room()];
  assert.notEqual(one, two);
  assert.equal(it.sockets.length, 1);
  const got: string[] = [];
  one.on("chat", (data) => got.push(`one ${data}`));
  two.on("chat", (data) => got.push(`two ${data}`));
  it.socket.welcome();
  it.socket.tell(stored(1));
  assert.deepEqual(got, ["one 1", "two 1"]);
  assert.equal(one.members, two.members);
  assert.equal(one.self, two.self);
  one.presence.set({ x: 1 });
  assert.deepEqual(two.presence.state, { x: 1 });
});

test("other rooms, and other clients, have other connections", async (t) => {
  const it = world(t);
  it.client.room("a");
  it.client.room("b");
  it.client.room("a");
  assert.deepEqual(it.sockets.map(({ url }) => url.pathname), ["/room/a", "/room/b"]);
});

test("leaving takes the handlers of who leaves, and the connection with the last", async (t) => {
  const it = world(t);
  const [one, two] = [it.room(), it.room()];
  it.socket.welcome();
  const [ones, twos] = [told(one, "status", "members"), told(two, "status", "members")];
  one.onAny(() => assert.fail("it left"));
  const got: unknown[] = [];
  two.onAny(({ data }) => got.push(data));
  one.leave();
  one.leave();
  assert.equal(it.socket.closed, undefined);
  it.socket.tell(stored(1));
  two.presence.set({ x: 1 });
  assert.deepEqual(got, [1]);
  assert.deepEqual(ones, [["status", "initial"]], "for it, that is the end");
  two.leave();
  two.leave();
  assert.equal(it.socket.closed, 1000);
  assert.deepEqual(twos.map(([topic]) => topic), ["members", "status"]);
  one.connect();
  assert.equal(it.sockets.length, 2);
  assert.deepEqual([one.status, two.status], ["connecting", "initial"]);
  it.socket.welcome();
  two.onAny(() => assert.fail("it did not come back"));
  two.leave();
  assert.equal(it.socket.closed, undefined);
});

test("what waits for an ack waits for it, also if the holder who published leaves", async (t) => {
  const it = world(t);
  const [one, two] = [it.room(), it.room()];
  it.socket.welcome();
  const sent = fate(one.publish("chat", 1));
  one.leave();
  await settled();
  assert.equal(sent.is, "pending");
  it.socket.ack("1");
  await settled();
  assert.notEqual(sent.is, "pending");
  two.leave();
});

test("a holder who leaves in a handler keeps nothing from the others", async (t) => {
  const it = world(t);
  const [one, two] = [it.room(), it.room()];
  it.socket.welcome();
  const got: string[] = [];
  one.on("chat", (data) => {
    got.push(`one ${data}`);
    one.leave();
  });
  one.on("chat", () => assert.fail("it left"));
  one.onAny(() => assert.fail("it left"));
  two.on("chat", (data) => got.push(`two ${data}`));
  it.socket.tell(stored(1), stored(2));
  assert.deepEqual(got, ["one 1", "two 1", "two 2"]);
});

test("a holder who is taken along by another's handler hears nothing more", async (t) => {
  const it = world(t);
  const [one, two] = [it.room(), it.room()];
  it.socket.welcome();
  one.onAny(() => two.leave());
  two.onAny(() => assert.fail("it left"));
  it.socket.tell(stored(1));
});

test("a holder who comes inside a handler hears of what comes after", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const got: unknown[] = [];
  const off = room.onAny(() => {
    off();
    it.room().onAny(({ data }) => got.push(data));
  });
  it.socket.tell(stored(1), stored(2));
  assert.deepEqual(got, [2]);
});

test("a holder without `enabled` hears of nothing, and keeps nothing alive", async (t) => {
  const it = world(t);
  const quiet = it.room({ enabled: false });
  const statuses = heard(quiet, "status");
  const room = it.room();
  it.socket.welcome();
  assert.equal(quiet.status, "initial");
  assert.deepEqual(statuses, []);
  room.leave();
  assert.equal(it.socket.closed, 1000);
});

test("leaving what was never entered is nothing", async (t) => {
  const it = world(t);
  const room = it.room({ enabled: false });
  const all = told(room, "status", "members", "occupancy", "error");
  room.leave();
  assert.equal(room.status, "initial");
  assert.deepEqual(all, []);
});

test("the same room is found again while it is connected, whatever the garbage collector does", async (t) => {
  const it = world(t);
  const got: unknown[] = [];
  // Nobody keeps what holds it.
  it.room().on("chat", (data) => got.push(data));
  it.socket.welcome();
  for (let round = 0; round < 5; round++) {
    await settled();
    collect();
  }
  it.room();
  assert.equal(it.sockets.length, 1);
  it.socket.tell(stored(1));
  assert.deepEqual(got, [1]);
});

test("a holder hears of its own coming and going, while others keep the room connected", async (t) => {
  const it = world(t);
  const other = await it.enter();
  const others = heard(other, "status");
  const room = it.room({ enabled: false });
  const statuses = heard(room, "status");
  for (let round = 0; round < 2; round++) {
    room.connect();
    room.connect();
    room.leave();
    room.leave();
  }
  assert.deepEqual(statuses, ["connected", "initial", "connected", "initial"]);
  assert.deepEqual(others, []);
  room.watch("status", () => room.leave());
  room.connect();
  assert.deepEqual(statuses.slice(4), ["connected", "initial"], "it may leave when it hears of either");
});

test("a listener that connects when it hears of the leaving is back, and can leave", async (t) => {
  const it = world(t);
  const room = await it.enter({ state: { x: 1 } });
  const waits = fate(room.publish("chat", 1));
  const end = room.watch("status", (status) => {
    if (status === "initial") room.connect();
  });
  room.leave();
  await settled();
  assert.deepEqual([room.status, waits.is, it.sockets[0]!.closed], ["connecting", "left", 1000]);
  it.socket.welcome();
  const got: unknown[] = [];
  room.onAny(({ data }) => got.push(data));
  it.socket.tell(stored(1));
  assert.deepEqual([got, room.presence.state], [[1], { x: 1 }]);
  end();
  room.leave();
  await it.pass(60_000);
  assert.deepEqual([room.status, it.socket.closed, it.sockets.length, it.timers], ["initial", 1000, 2, 0]);
});

test("who left is outside, whoever keeps the room connected", async (t) => {
  const it = world(t);
  const other = await it.enter();
  const room = it.room();
  assert.equal(room.status, "connected");
  const seen: string[] = [];
  room.watch("status", () => seen.push(room.status));
  room.leave();
  assert.deepEqual([room.status, other.status], ["initial", "connected"]);
  room.connect();
  assert.deepEqual([room.status, seen], ["connected", ["initial", "connected"]]);
});

test("a holder who comes while the connection is being restored hears that", async (t) => {
  const it = world(t);
  const other = await it.enter();
  it.socket.end();
  const room = it.room({ enabled: false });
  const [statuses, others] = [heard(room, "status"), heard(other, "status")];
  room.connect();
  room.connect();
  assert.deepEqual(statuses, ["reconnecting"]);
  it.socket.welcome();
  room.leave();
  assert.deepEqual([statuses, others], [["reconnecting", "connected", "initial"], ["connected"]]);
});

test("what a listener has made untrue is not told to those after it: the last they hear is how it is", async (t) => {
  const it = world(t);
  const other = await it.enter();
  const room = it.room();
  room.watch("status", (status) => {
    if (status === "initial") room.connect();
  });
  room.watch("state", (state) => {
    if (state.x > 10) room.presence.update({ x: 10 });
  });
  const [statuses, states, others] = [heard(room, "status"), heard(room, "state"), heard(other, "state")];
  room.leave();
  assert.equal(statuses.at(-1), "connected");
  room.presence.update({ x: 50 });
  assert.deepEqual([states.at(-1), others.at(-1)], [{ x: 10 }, { x: 10 }]);
  other.leave();
  room.leave();
  assert.equal(statuses.at(-1), "connecting");
});

test("a client that is made connects to nothing", async (t) => {
  t.mock.method(globalThis, "fetch", () => assert.fail());
  createClient({ url: "https://rooms.example", WebSocket: class { constructor() { assert.fail(); } } as never, authEndpoint: "/" });
  await settled();
});
