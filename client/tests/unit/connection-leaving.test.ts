// Leaving, and coming back, in each moment of a connection and inside each handler.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Status } from "../../src/index.ts";
import { OWN, heard, member, settled, stored, why, world } from "./fake.ts";

test("R4: leaving closes with 1000, and forgets the place", async (t) => {
  const it = world(t);
  const room = await it.enter();
  room.leave();
  assert.equal(it.socket.closed, 1000);
  await it.pass(60_000);
  assert.equal(it.sockets.length, 1);
  room.connect();
  assert.equal(room.status, "connecting");
  assert.equal(it.socket.url.search, "");
  assert.deepEqual(it.socket.protocols, ["roomful.v1"]);
});

test("leaving while a token is fetched opens no socket", async (t) => {
  let answer = (_: string) => {};
  const it = world(t, { token: () => new Promise<string>((resolve) => (answer = resolve)) });
  const room = it.room();
  await settled();
  room.leave();
  answer("late");
  await it.pass(60_000);
  assert.equal(it.sockets.length, 0);
  assert.equal(room.status, "initial");
});

test("leaving while it waits for the next attempt ends that", async (t) => {
  const it = world(t);
  const room = await it.enter();
  it.socket.end();
  room.leave();
  await it.pass(60_000);
  assert.equal(it.sockets.length, 1);
  assert.equal(why(room), undefined);
});

test("leaving inside a handler stops the rest of the frame", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const got: unknown[] = [];
  room.on("chat", (data) => {
    got.push(data);
    room.leave();
  });
  const members = heard(room, "members");
  it.socket.tell(stored(1), stored(2), { type: "join", member: { connection: "2", user: { id: "b" }, state: null, at: 1 } });
  assert.deepEqual(got, [1]);
  assert.deepEqual(members, []);
  assert.equal(room.status, "initial");
  await it.pass(60_000);
  assert.equal(it.sockets.length, 1);
});

const leavings: [status: Status, event: string, act: (it: ReturnType<typeof world>) => void][] = [
  ["connected", "a welcome", (it) => it.socket.welcome()],
  ["reconnecting", "a loss", (it) => (it.socket.welcome(), it.socket.end())],
  ["disconnected", "a refusal", (it) => it.socket.end(4505)],
];
for (const [status, event, act] of leavings) {
  test(`leaving when ${event} tells of ${status} is the end of it`, async (t) => {
    const it = world(t);
    const room = it.room();
    room.watch("status", (now) => now === status && room.leave());
    await settled();
    act(it);
    await it.pass(120_000);
    assert.equal(room.status, "initial");
    assert.equal(it.sockets.length, 1);
    assert.notEqual(it.socket.closed, undefined);
  });
}

test("leaving when connect() tells of connecting is the end of it", async (t) => {
  const it = world(t, { token: async () => "t" });
  const room = it.room({ enabled: false });
  room.watch("status", (now) => now === "connecting" && room.leave());
  room.connect();
  await it.pass(120_000);
  assert.equal(room.status, "initial");
  assert.equal(it.sockets.length, 0);
});

test("leaving when an error tells of a token that could not be had is the end of it", async (t) => {
  let asked = 0;
  const it = world(t, { token: () => Promise.reject(new Error(`${++asked}`)) });
  const room = it.room();
  room.watch("error", () => room.leave());
  await it.pass(120_000);
  assert.equal(asked, 1);
  assert.equal(room.status, "initial");
});

test("leaving and coming back when a welcome tells of a member is a new beginning", async (t) => {
  const it = world(t);
  const room = it.room({ history: 2 });
  const again = room.watch("join", () => {
    again();
    room.leave();
    room.connect();
  });
  const members = [OWN, member("2")];
  it.socket.welcome({ members });
  assert.equal(room.status, "connecting");
  assert.equal(it.sockets.length, 2);
  it.socket.welcome({ members });
  await settled();
  assert.equal(room.status, "connected");
  assert.equal(it.socket.messages.length, 1, "the past is asked for once");
});

test("connect() when a loss is told of opens one socket and no second one later", async (t) => {
  const it = world(t);
  const room = await it.enter();
  room.watch("status", (now) => now === "reconnecting" && room.connect());
  it.socket.end();
  assert.equal(it.sockets.length, 2);
  it.socket.welcome();
  await it.pass(20_000);
  assert.equal(it.sockets.length, 2);
  assert.equal(room.status, "connected");
});

test("connect() when the end is told of begins anew", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const again = room.watch("status", (now) => now === "disconnected" && room.connect());
  it.socket.end(4505);
  again();
  assert.equal(room.status, "reconnecting");
  it.socket.welcome();
  await it.pass(20_000);
  assert.equal(room.status, "connected");
  assert.equal(it.sockets.length, 2);
});
