// What comes: which messages handlers get, what moves the offset on, and what a new connection asks for.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../src/index.ts";
import { collect, heard, settled, stored, uncaught, world } from "./fake.ts";
import type { World } from "./fake.ts";

/** The offset that the next connection would come back with. */
async function offset(it: World) {
  it.socket.end();
  return Number((await it.next()).url.searchParams.get("offset"));
}

test("M1: a handler gets the data of its event and the whole message, onAny every message", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const chats: unknown[] = [];
  const all: Message[] = [];
  room.on("chat", (data, message) => chats.push([data, message]));
  room.onAny((message) => all.push(message));
  const [first, second] = [stored(1, { text: "hi" }), stored(2, null, "other")];
  it.socket.tell(first);
  it.socket.tell(second);
  assert.deepEqual(chats, [[{ text: "hi" }, first]]);
  assert.deepEqual(all, [first, second]);
});

test("C1: a frame may hold several messages, which come in order", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const got: unknown[] = [];
  room.on("chat", (data) => got.push(data));
  it.socket.tell(stored(1), stored(2), { ...stored(3), offset: undefined }, stored(3, "three"));
  it.socket.frame("[]");
  assert.deepEqual(got, [1, 2, 3, "three"]);
});

test("events named like things of JavaScript or of this package are events", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const got: unknown[] = [];
  for (const event of ["__proto__", "constructor", "message", "status", "event chat", "toString"]) {
    room.on(event, (data) => got.push([event, data]));
  }
  room.watch("status", () => assert.fail());
  ["__proto__", "constructor", "message", "status", "event chat", "chat"].forEach((event, index) =>
    it.socket.tell(stored(index + 1, index, event)),
  );
  assert.deepEqual(got, [["__proto__", 0], ["constructor", 1], ["message", 2], ["status", 3], ["event chat", 4]]);
});

test("a handler that throws keeps nothing from the others, and its error goes where uncaught ones go", async (t) => {
  const errors = uncaught(t);
  const it = world(t);
  const room = await it.enter();
  const got: unknown[] = [];
  const thrown = new Error("of a handler");
  const fail = () => {
    throw thrown;
  };
  room.on("chat", fail);
  room.onAny(fail);
  room.watch("members", fail);
  room.watch("status", fail);
  room.on("chat", (data) => got.push(data));
  room.onAny(({ data }) => got.push(`any ${data}`));
  it.socket.tell(stored(1), stored(2));
  it.socket.tell({ type: "join", member: { connection: "2", user: { id: "b", info: {} }, state: null, at: 1 } });
  it.socket.end();
  await settled();
  assert.deepEqual(got, [1, "any 1", 2, "any 2"]);
  assert.equal(errors.length, 6);
  assert.ok(errors.every((error) => error === thrown));
  await it.next();
});

test("a handler is called until it is taken off, and once for each time it was put on", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const got: unknown[] = [];
  const handler = (data: unknown) => got.push(data);
  const offs = [room.on("chat", handler), room.on("chat", handler)];
  it.socket.tell(stored(1));
  offs[0]!();
  offs[0]!();
  it.socket.tell(stored(2));
  offs[1]!();
  it.socket.tell(stored(3));
  assert.deepEqual(got, [1, 1, 2]);
});

test("a handler that is gone leaves nothing behind, whatever its event was called", async (t) => {
  const room = await world(t).enter();
  const heap = () => (collect(), process.memoryUsage().heapUsed);
  room.on("first", () => {})();
  const before = heap();
  // As an application does that makes up an event for the answer to each question.
  for (let n = 0; n < 50_000; n++) room.on(`answer-${n}`, () => {})();
  assert.ok(heap() - before < 2_000_000, "less than 40 bytes for each");
});

test("a handler is taken off once: doing it again takes no other off", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const off = room.on("chat", () => {});
  off();
  const got: unknown[] = [];
  room.on("chat", (data) => got.push(data));
  off();
  it.socket.tell(stored(1));
  assert.deepEqual(got, [1]);
});

test("a handler that is put on inside another comes too late for that message", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const got: unknown[] = [];
  const off = room.on("chat", () => {
    off();
    room.on("chat", (data) => got.push(data));
  });
  it.socket.tell(stored(1), stored(2));
  assert.deepEqual(got, [2]);
});

test("R1: `message` and `skip` move the offset on, and nothing else does", async (t) => {
  const it = world(t);
  await it.enter({}, { offset: 5 });
  assert.equal(await offset(it), 5, "the welcome's, if none came since");
  it.socket.welcome({ offset: 5, recovered: true });
  it.socket.tell({ type: "ack", id: "x", offset: 9 });
  it.socket.tell({ ...stored(0), offset: undefined, at: undefined });
  it.socket.tell({ ...stored(0), offset: undefined, at: undefined, private: true });
  it.socket.tell({ type: "history", id: "h", messages: [stored(8)], epoch: "e1", more: false });
  assert.equal(await offset(it), 5);
  it.socket.welcome({ offset: 5, recovered: true });
  it.socket.tell(stored(6));
  assert.equal(await offset(it), 6);
  it.socket.welcome({ offset: 6, recovered: true });
  it.socket.tell({ type: "skip", offset: 7 });
  assert.equal(await offset(it), 7);
  it.socket.welcome({ offset: 7, recovered: true });
  it.socket.tell(stored(8), { type: "skip", offset: 9 }, stored(10));
  assert.equal(await offset(it), 10);
});

test("R1: a first connection that failed has nothing to come back to", async (t) => {
  const it = world(t);
  it.room();
  it.socket.end();
  const { url, protocols } = await it.next();
  assert.deepEqual([url.search, protocols], ["", ["roomful.v1"]]);
});

test("R1: each welcome gives the secret and the epoch to come back with", async (t) => {
  const it = world(t, { token: async () => "t" });
  await it.enter({}, { session: "1.0.a", epoch: "e1", offset: 1 });
  it.socket.end();
  const second = await it.next();
  assert.equal(second.url.search, "?epoch=e1&offset=1");
  assert.deepEqual(second.protocols, ["roomful.v1", "roomful.token.t", "roomful.session.1.0.a"]);
  second.end(1006);
  assert.deepEqual((await it.next()).protocols, second.protocols, "an attempt that failed changes nothing");
  it.socket.welcome({ session: "1.1.b", epoch: "e2", offset: 3, recovered: false });
  it.socket.end();
  const last = await it.next();
  assert.equal(last.url.search, "?epoch=e2&offset=3");
  assert.equal(last.protocols[2], "roomful.session.1.1.b");
});

test("R2: recovered, what was missed follows, and an end in its middle loses nothing", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { offset: 5 });
  const gaps = heard(room, "gap");
  const got: unknown[] = [];
  room.on("chat", (data) => got.push(data));
  it.socket.end();
  (await it.next()).welcome({ offset: 8, recovered: true });
  it.socket.tell(stored(6));
  assert.equal(await offset(it), 6);
  it.socket.welcome({ offset: 9, recovered: true });
  it.socket.tell(stored(7), stored(8), stored(9));
  it.socket.tell(stored(10));
  assert.deepEqual(got, [6, 7, 8, 9, 10]);
  assert.deepEqual(gaps, []);
});

test("R2: what came before is not handed on again", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { offset: 5 });
  const got: unknown[] = [];
  room.on("chat", (data) => got.push(data));
  it.socket.tell(stored(6), stored(6), stored(5), stored(7), stored(6));
  assert.deepEqual(got, [6, 7]);
  assert.equal(await offset(it), 7);
});

test("R3: not recovered, the gap is told, and then the offset is the welcome's", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { offset: 5 });
  const gaps = heard(room, "gap");
  it.socket.tell(stored(6));
  it.socket.end();
  (await it.next()).welcome({ offset: 700, recovered: false });
  assert.deepEqual(gaps, [{ after: 6, before: 701, reset: false }]);
  assert.equal(await offset(it), 700);
});

test("R3: not recovered, but nothing was missed: no gap", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { offset: 5 });
  const gaps = heard(room, "gap");
  it.socket.end();
  (await it.next()).welcome({ offset: 5, recovered: false });
  assert.deepEqual(gaps, []);
});

test("R3: a room that began anew is told of as such, and its lower offsets count", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { offset: 50 });
  const gaps = heard(room, "gap");
  const got: unknown[] = [];
  room.on("chat", (data) => got.push(data));
  it.socket.end();
  (await it.next()).welcome({ epoch: "e2", offset: 2, recovered: false });
  it.socket.tell(stored(3));
  assert.deepEqual(gaps, [{ after: 0, before: 3, reset: true }]);
  assert.deepEqual(got, [3]);
  it.socket.end();
  (await it.next()).welcome({ epoch: "e3", offset: 0, recovered: false });
  assert.deepEqual(gaps[1], { after: 0, before: 1, reset: true }, "also if it holds nothing");
});

test("the first welcome is no gap, and neither is one after leaving", async (t) => {
  const it = world(t);
  const room = it.room();
  const gaps = heard(room, "gap");
  it.socket.welcome({ offset: 900 });
  room.leave();
  room.connect();
  it.socket.welcome({ epoch: "e2", offset: 9 });
  assert.deepEqual(gaps, []);
});

test("C2: what the welcome says can be read when `connected` is told", async (t) => {
  const it = world(t);
  const room = it.room();
  const seen: unknown[] = [];
  room.watch("status", (status) => seen.push(status, room.self?.connection, room.can, room.members.length, room.occupancy));
  it.socket.welcome({ can: ["subscribe", "presence"], occupancy: { connections: 4, users: 1 } });
  assert.deepEqual(seen, ["connected", "1", ["subscribe", "presence"], 1, { connections: 4, users: 1 }]);
});

test("nothing counts before the welcome", async (t) => {
  const it = world(t);
  const room = it.room();
  room.onAny(() => assert.fail());
  it.socket.tell(stored(1));
  it.socket.welcome();
});
