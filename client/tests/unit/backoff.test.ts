// How long a client waits before it comes back: full jitter, so that a crowd that was dropped together does not
// return together.
import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, why, world } from "./fake.ts";
import type { World } from "./fake.ts";

/** The pauses before the next attempts if every one fails at once. */
async function pauses(it: World, count: number) {
  const found: number[] = [];
  for (let attempt = 0; attempt < count; attempt++) {
    const from = Date.now();
    it.socket.end();
    found.push((await it.next()).at - from);
  }
  return found;
}

/** Chance that can be foretold: mulberry32. */
function chance(seed: number) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("the bound doubles from 500 ms to 30 s", async (t) => {
  // As good as 1: the whole of each bound.
  const it = world(t, {}, () => 0.9999);
  it.room();
  const found = (await pauses(it, 9)).map((pause) => Math.round(pause / 0.9999));
  assert.deepEqual(found, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("chance may make each pause as good as none", async (t) => {
  const it = world(t, {}, () => 0);
  it.room();
  assert.deepEqual(await pauses(it, 9), Array(9).fill(1));
});

test("the pauses are spread evenly between nothing and the bound", async (t) => {
  const seed = 20_261_121;
  const it = world(t, {}, chance(seed));
  const bounds = [500, 1_000, 2_000, 4_000];
  const shares: number[] = [];
  const first: number[] = [];
  const room = it.room();
  for (let round = 0; round < 300; round++) {
    const found = await pauses(it, bounds.length);
    found.forEach((pause, n) => shares.push(pause / bounds[n]!));
    first.push(found[0]!);
    room.leave();
    room.connect();
  }
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  // Timers never wait less than a millisecond.
  assert.ok(shares.every((share) => share > 0 && share <= 1 + 1 / 500));
  // Of 1,200 uniform values, the mean deviates by 0.0083; four times that never happens.
  assert.ok(Math.abs(mean(shares) - 0.5) < 0.034, `mean ${mean(shares)}, seed ${seed}`);
  const tenths = Array.from({ length: 10 }, (_, tenth) => shares.filter((share) => Math.floor(share * 10) === tenth).length);
  const squares = tenths.map((count) => (count - 120) ** 2 / 120);
  // Chi square with nine degrees of freedom: beyond 27.9 once in a thousand.
  assert.ok(squares.reduce((a, b) => a + b) < 27.9, `${tenths}, seed ${seed}`);
  assert.ok(Math.abs(mean(first) - 250) < 250 * 0.14, "the first too");
});

test("after a connection that lived for 10 s the pauses begin anew", async (t) => {
  const it = world(t, {}, () => 0.9999);
  it.room();
  await pauses(it, 5);
  it.socket.welcome();
  await it.pass(10_001);
  assert.ok((await pauses(it, 1))[0]! < 500);
  assert.ok((await pauses(it, 1))[0]! > 900);
});

test("after one that lived for less they go on", async (t) => {
  const it = world(t, {}, () => 0.9999);
  it.room();
  await pauses(it, 3);
  it.socket.welcome();
  await it.pass(10_000);
  const [pause] = await pauses(it, 1);
  assert.ok(pause! > 3_900 && pause! < 4_000, `${pause}`);
});

test("connect() begins them anew: whoever asks for it knows something", async (t) => {
  const it = world(t, {}, () => 0.9999);
  const room = it.room();
  await pauses(it, 4);
  it.socket.end();
  room.connect();
  assert.ok((await pauses(it, 1))[0]! < 500);
  await pauses(it, 4);
  it.socket.end(4500);
  assert.equal(room.status, "disconnected");
  room.connect();
  assert.ok((await pauses(it, 1))[0]! < 500);
});

test("E2: from 4300 to 4499 it waits ten seconds before all that", async (t) => {
  const it = world(t, {}, () => 0.9999);
  const room = it.room();
  it.socket.refuse(4301, { code: "room_full" });
  assert.equal(why(room), "room_full");
  await it.pass(10_490);
  assert.equal(it.sockets.length, 1);
  await it.pass(10);
  assert.equal(it.sockets.length, 2);
  it.socket.refuse(4301, { code: "room_full" });
  await it.pass(10_990);
  assert.equal(it.sockets.length, 2);
  await it.pass(10);
  assert.equal(it.sockets.length, 3);
  it.socket.end(1006);
  await it.pass(2_000);
  assert.equal(it.sockets.length, 4, "and only for that");
});

test("E2: whoever asks by connect() need not wait", async (t) => {
  const it = world(t);
  const room = it.room();
  it.socket.refuse(4300, { code: "rate_limited" });
  room.connect();
  await settled();
  assert.equal(it.sockets.length, 2);
});
