// A connection from which nothing comes: pings, and how long the answer may take.
import assert from "node:assert/strict";
import { test } from "node:test";
import { stored, why, world } from "./fake.ts";

test("a socket that is silent until the deadline is replaced, and one that says nothing of a welcome too", async (t) => {
  const it = world(t);
  const room = it.room();
  await it.pass(9_990);
  it.socket.frame("pong");
  it.socket.tell({ type: "error", code: "odd", message: "", retryable: true });
  assert.equal(it.sockets.length, 1);
  await it.pass(10 + 250);
  assert.equal(it.sockets[0]!.closed, 3000);
  assert.equal(it.sockets.length, 2);
  assert.equal(room.status, "connecting");
});

test("C3: it pings as often as the welcome says, and takes a missing pong for the end after 10 s", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { ping: 20_000 });
  await it.pass(19_990);
  assert.equal(it.socket.pings, 0);
  await it.pass(10);
  assert.equal(it.socket.pings, 1);
  await it.pass(9_000);
  it.socket.frame("pong");
  await it.pass(11_000);
  assert.equal(it.socket.pings, 2);
  assert.equal(room.status, "connected");
  await it.pass(9_990);
  assert.equal(room.status, "connected");
  await it.pass(10);
  assert.equal(room.status, "reconnecting");
  assert.equal(why(room), "connection_lost");
});

test("C3: any frame is a sign of life", async (t) => {
  const it = world(t);
  const room = await it.enter();
  await it.pass(25_000 + 9_000);
  it.socket.tell(stored(1));
  await it.pass(10_000);
  assert.equal(room.status, "connected");
});

test("C3: pings that come faster than the deadline do not put it off", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { ping: 1_000 });
  await it.pass(1_000 + 9_900);
  assert.equal(it.socket.pings, 10);
  assert.equal(room.status, "connected");
  await it.pass(100);
  assert.equal(room.status, "reconnecting");
});

test("C3: a connection that is gone is pinged no more", async (t) => {
  const it = world(t);
  const room = await it.enter();
  room.leave();
  await it.pass(100_000);
  assert.equal(it.socket.pings, 0);
});
