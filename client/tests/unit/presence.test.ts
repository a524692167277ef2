// The own state: what others are told of it, how often, and when again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NOW, heard, member, settled, unlisted, world } from "./fake.ts";
import type { FakeSocket } from "./fake.ts";

const states = (socket: FakeSocket) =>
  socket.messages
    .filter(({ type }) => type === "state")
    .map(({ id, type, ...rest }) => {
      assert.equal(id, "state");
      return rest;
    });

/** A room that has been connected for a while. */
async function connected(t: Parameters<typeof world>[0], options = {}, state: unknown = null) {
  const it = world(t, options);
  const room = await it.enter({ state }, { members: [member("1", { name: "ana", state })] });
  await it.pass(1_000);
  assert.deepEqual(states(it.socket), []);
  return { it, room };
}

const refused = (code: string, retryable: boolean, retry_after?: number) => ({
  type: "error",
  id: "state",
  code,
  message: "No.",
  retryable,
  ...(retry_after && { retry_after }),
});

test("P1: the first change goes out at once, and then at most one in 50 ms, merged", async (t) => {
  const { it, room } = await connected(t);
  room.presence.update({ x: 1, y: 1 });
  assert.deepEqual(states(it.socket), [{ patch: { x: 1, y: 1 } }]);
  room.presence.update({ x: 2 });
  room.presence.update({ y: 2, z: [1] });
  room.presence.update({ x: 3 });
  await it.pass(49);
  assert.equal(states(it.socket).length, 1);
  await it.pass(1);
  assert.deepEqual(states(it.socket)[1], { patch: { x: 3, y: 2, z: [1] } });
  await it.pass(1_000);
  assert.equal(states(it.socket).length, 2);
});

test("over a second of changes each millisecond, no more than 21 go out, and the last value does", async (t) => {
  const { it, room } = await connected(t);
  for (let x = 0; x < 1_000; x++) {
    room.presence.update({ x });
    await it.pass(1);
  }
  assert.ok(states(it.socket).length <= 21);
  await it.pass(50);
  assert.deepEqual(states(it.socket).at(-1), { patch: { x: 999 } });
});

test("`throttle` is for whoever wants more of them, or fewer", async (t) => {
  for (const throttle of [0, 10, 200]) {
    const { it, room } = await connected(t, { throttle });
    room.presence.update({ x: 1 });
    room.presence.update({ x: 2 });
    assert.equal(states(it.socket).length, throttle ? 1 : 2);
    await it.pass(Math.max(0, throttle - 1));
    assert.equal(states(it.socket).length, throttle ? 1 : 2);
    await it.pass(1);
    assert.equal(states(it.socket).length, 2);
    t.mock.restoreAll();
  }
});

test("a clock that is set back holds no change up", async (t) => {
  const { it, room } = await connected(t);
  room.presence.update({ x: 1 });
  t.mock.method(Date, "now", () => NOW - 3_600_000);
  room.presence.update({ x: 2 });
  await it.pass(50);
  assert.equal(states(it.socket).length, 2);
});

test("P1: set sends all of it, and what was changed before it is part of that or gone", async (t) => {
  const { it, room } = await connected(t);
  room.presence.set({ a: 1 });
  room.presence.update({ b: 2 });
  room.presence.set({ c: 3 });
  room.presence.update({ d: 4 });
  await it.pass(50);
  assert.deepEqual(states(it.socket), [{ state: { a: 1 } }, { state: { c: 3, d: 4 } }]);
  room.presence.set(null);
  await it.pass(50);
  room.presence.set("a string");
  await it.pass(50);
  assert.deepEqual(states(it.socket).slice(2), [{ state: null }, { state: "a string" }]);
  room.presence.update({ x: 1 });
  assert.deepEqual(room.presence.state, { x: 1 }, "what is no object counts as an empty one");
});

test("P1: null and undefined take keys away", async (t) => {
  const { it, room } = await connected(t, {}, { a: 1, b: 2, c: 3 });
  room.presence.update({ a: null, b: undefined });
  assert.deepEqual(room.presence.state, { c: 3 });
  assert.deepEqual(states(it.socket), [{ patch: { a: null, b: null } }]);
});

test("the own state is shown at once, and what the room tells of it later does not turn it back", async (t) => {
  const { it, room } = await connected(t);
  const lists = heard(room, "members");
  const updates = heard(room, "update");
  room.presence.update({ x: 1 });
  room.presence.update({ x: 2 });
  assert.deepEqual(room.self!.state, { x: 2 });
  assert.deepEqual(room.members.map(({ state }) => state), [{ x: 2 }]);
  assert.deepEqual(lists.map(([own]) => own!.state), [{ x: 1 }, { x: 2 }]);
  it.socket.tell({ type: "states", patches: { 1: { x: 1 } } });
  it.socket.tell({ type: "states", states: { 1: { x: 0 } } });
  assert.deepEqual(room.self!.state, { x: 2 });
  assert.equal(lists.length, 2);
  assert.deepEqual(updates, [], "only others' are told of");
});

test("before there is a connection it can be set, and comes with it", async (t) => {
  const it = world(t);
  const room = it.room({ state: { x: 1 } });
  room.presence.update({ y: 2 });
  assert.deepEqual(room.presence.state, { x: 1, y: 2 });
  assert.equal(room.self, null);
  await it.pass(1_000);
  it.socket.welcome();
  assert.deepEqual(states(it.socket), [{ state: { x: 1, y: 2 } }]);
  assert.deepEqual(room.self!.state, { x: 1, y: 2 });
});

test("`state` is to come with, not to overwrite: connect() and another holder leave what is there", async (t) => {
  const it = world(t);
  const room = await it.enter({ state: { x: 1 } });
  room.presence.set({ x: 2 });
  it.room({ state: { x: 3 } });
  assert.deepEqual(room.presence.state, { x: 2 });
  room.presence.set(null);
  room.connect();
  assert.equal(room.presence.state, null, "cleared on purpose");
  room.leave();
});

test("R5: after a welcome whose own entry differs it is sent again, and otherwise not", async (t) => {
  const { it, room } = await connected(t, {}, { x: 1, y: { z: [1] } });
  it.socket.end();
  const state = { x: 1, y: { z: [1] } };
  (await it.next()).welcome({ recovered: true, members: [member("1", { state })] });
  await it.pass(1_000);
  assert.deepEqual(states(it.socket), []);
  for (const lost of [null, { x: 1 }, { x: 1, y: { z: [2] } }]) {
    it.socket.end();
    (await it.next()).welcome({ recovered: true, members: [member("1", { state: lost })] });
    await it.pass(50);
    assert.deepEqual(states(it.socket), [{ state }]);
    assert.deepEqual(room.self!.state, state);
  }
});

test("R5: what changed while there was no connection is sent once there is, as a whole", async (t) => {
  const { it, room } = await connected(t, {}, { x: 1 });
  it.socket.end();
  room.presence.update({ y: 2 });
  await it.pass(200);
  (await it.next()).welcome({ recovered: true, members: [member("1", { state: { x: 1 } })] });
  await it.pass(50);
  assert.deepEqual(states(it.socket), [{ state: { x: 1, y: 2 } }]);
});

test("a change that the drop caught on its way is not lost", async (t) => {
  const { it, room } = await connected(t);
  room.presence.update({ x: 1 });
  room.presence.update({ x: 2 });
  it.socket.end();
  (await it.next()).welcome({ recovered: true, members: [member("1", { state: { x: 1 } })] });
  await it.pass(100);
  assert.deepEqual(states(it.socket), [{ state: { x: 2 } }]);
});

test("E3: a state over the rate is sent again, whole, when the room may take it", async (t) => {
  for (const [retry_after, pause] of [[250, 250], [undefined, 1_000]] as const) {
    const { it, room } = await connected(t);
    const errors = heard(room, "error");
    room.presence.update({ x: 1 });
    it.socket.tell(refused("rate_limited", true, retry_after));
    await it.pass(pause - 1);
    assert.equal(states(it.socket).length, 1);
    await it.pass(1);
    assert.deepEqual(states(it.socket)[1], { state: { x: 1 } });
    assert.deepEqual(errors, []);
    t.mock.restoreAll();
  }
});

test("E3: until then nothing is sent, however much changes", async (t) => {
  const { it, room } = await connected(t);
  room.presence.update({ x: 0 });
  room.presence.update({ x: 1 });
  it.socket.tell(refused("rate_limited", true, 1_000));
  for (let x = 2; x < 20; x++) {
    await it.pass(50);
    if (x % 2) room.presence.update({ x });
    else room.presence.set({ x });
  }
  assert.equal(states(it.socket).length, 1);
  await it.pass(100);
  assert.deepEqual(states(it.socket).slice(1), [{ state: { x: 19 } }]);
});

test("P1: a state that the room refuses for good is told of, and not sent again by itself", async (t) => {
  const { it, room } = await connected(t);
  const errors = heard(room, "error");
  room.presence.set("x".repeat(3_000));
  it.socket.tell(refused("state_too_large", false));
  await it.pass(5_000);
  assert.equal(states(it.socket).length, 1);
  assert.deepEqual(errors.map(({ code }) => code), ["state_too_large"]);
});

test("P1: after a state that the room refused for its size, the next change takes all of it along", async (t) => {
  const { it, room } = await connected(t, {}, { a: 1 });
  room.presence.update({ b: "x".repeat(3_000), c: 1 });
  it.socket.tell(refused("state_too_large", false));
  await it.pass(50);
  room.presence.update({ b: null });
  room.presence.update({ d: 1 });
  await it.pass(50);
  assert.deepEqual(states(it.socket).slice(1), [{ state: { a: 1, c: 1 } }, { patch: { d: 1 } }]);
});

test("N4: a state larger than the room takes stays as it was, and is told of; other changes go on", async (t) => {
  const { it, room } = await connected(t, {}, { a: 1 });
  const [errors, shown] = [heard(room, "error"), heard(room, "state")];
  room.presence.update({ a: 2 });
  room.presence.update({ b: 1 });
  room.presence.update({ c: "é".repeat(2_048), d: 1 });
  room.presence.set("x".repeat(4_095));
  room.presence.update({ e: 1 });
  await it.pass(50);
  assert.deepEqual(states(it.socket), [{ patch: { a: 2 } }, { patch: { b: 1, e: 1 } }]);
  assert.deepEqual(room.presence.state, { a: 2, b: 1, e: 1 });
  assert.deepEqual(errors.map(({ code, retryable }) => [code, retryable]), Array(2).fill(["state_too_large", false]));
  assert.equal(shown.length, 3);
  room.presence.set("x".repeat(4_094));
  await it.pass(50);
  assert.equal(states(it.socket).length, 3, "quotes count");
});

test("a listener that corrects the state it is told of has the last word, here and in the room", async (t) => {
  for (const throttle of [0, 50]) {
    const { it, room } = await connected(t, { throttle }, { x: 0 });
    room.watch("state", (state) => {
      if (state.x > 10) room.presence.update({ x: 10 });
    });
    room.presence.update({ x: 50 });
    await it.pass(1_000);
    assert.deepEqual(room.presence.state, { x: 10 });
    assert.deepEqual(states(it.socket), [{ patch: { x: 50 } }, { patch: { x: 10 } }]);
    t.mock.restoreAll();
  }
});

test("T2: without the right `presence` nothing is sent; with it, gained later, the state is", async (t) => {
  const it = world(t);
  const room = it.room({ state: { x: 1 } });
  it.socket.tell(unlisted({ can: ["subscribe"] }));
  room.presence.update({ x: 2 });
  room.presence.set({ x: 3 });
  await it.pass(1_000);
  assert.deepEqual(states(it.socket), []);
  assert.deepEqual(room.members, []);
  assert.deepEqual(room.self, { connection: "1", user: { id: "ana", info: {} }, state: { x: 3 }, at: Date.now() - 1_000 });
  it.socket.tell({ type: "auth", expires_in: null, can: ["subscribe", "presence"] });
  it.socket.tell({ type: "members", members: [member("1", { name: "ana" })] });
  await it.pass(50);
  assert.deepEqual(states(it.socket), [{ state: { x: 3 } }]);
  assert.deepEqual(room.members.map(({ state }) => state), [{ x: 3 }]);
  assert.equal(room.members[0], room.self);
});

test("P4: in a crowded room changes are sent, and all of it when its members are listed again", async (t) => {
  const it = world(t);
  const room = it.room();
  it.socket.tell(unlisted());
  room.presence.update({ x: 1 });
  assert.deepEqual(states(it.socket), [{ patch: { x: 1 } }]);
  await it.pass(1_000);
  it.socket.tell({ type: "members", members: [member("1", { name: "ana", state: { x: 1 } })] });
  await it.pass(1_000);
  assert.equal(states(it.socket).length, 1);
  it.socket.tell({ type: "members", members: [member("1", { name: "ana" })] });
  await it.pass(1_000);
  assert.deepEqual(states(it.socket)[1], { state: { x: 1 } });
});

test("leaving sends nothing more, and forgets the state", async (t) => {
  const { it, room } = await connected(t);
  room.presence.update({ x: 1 });
  room.presence.update({ x: 2 });
  room.leave();
  assert.equal(room.presence.state, null);
  assert.equal(it.timers, 0);
  room.connect();
  it.socket.welcome();
  await it.pass(1_000);
  assert.deepEqual(states(it.socket), []);
});

test("a holder with `state` comes with it again after leaving", async (t) => {
  const it = world(t);
  const room = await it.enter({ state: { x: 1 } });
  room.leave();
  room.connect();
  await settled();
  it.socket.welcome();
  await it.pass(100);
  assert.deepEqual(states(it.socket), [{ state: { x: 1 } }]);
});

test("after the end, connect() comes with the state that was", async (t) => {
  const { it, room } = await connected(t, {}, { x: 1 });
  it.socket.end(4505);
  assert.deepEqual(room.presence.state, { x: 1 });
  room.connect();
  it.socket.welcome();
  await it.pass(50);
  assert.deepEqual(states(it.socket), [{ state: { x: 1 } }]);
});
