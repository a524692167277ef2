// `history`: a holder gets what was before it came, and what it missed, once and in order.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { Room } from "../../src/index.ts";
import { heard, settled, stored, world } from "./fake.ts";
import type { FakeSocket } from "./fake.ts";

/** The questions for history that a socket got, without their ids. */
const asked = (socket: FakeSocket) =>
  socket.messages.filter(({ type }) => type === "history").map(({ id, type, ...range }) => range);

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Answers the last question with the messages of these offsets. */
async function answer(socket: FakeSocket, offsets: number[], more = false, epoch = "e1") {
  const { id } = socket.messages.findLast(({ type }) => type === "history");
  socket.tell({ type: "history", id, messages: offsets.map((offset) => stored(offset)), epoch, more });
  await settled();
}

function offsets(room: Room): unknown[] {
  const got: unknown[] = [];
  room.onAny(({ offset }) => got.push(offset));
  return got;
}

/** A room that is held with so much `history`, has just been entered at `offset`, and asks for that. */
async function begun(t: TestContext, history: number, offset: number) {
  const it = world(t);
  const room = it.room({ history });
  const got = offsets(room);
  it.socket.welcome({ offset });
  await settled();
  return { it, room, got };
}

test("R6: the past comes first, and what is live meanwhile waits for it", async (t) => {
  const { it, got } = await begun(t, 3, 10);
  assert.deepEqual(asked(it.socket), [{ before: 11, limit: 3 }]);
  it.socket.tell(stored(11));
  it.socket.tell({ ...stored(0), offset: undefined });
  assert.deepEqual(got, []);
  await answer(it.socket, [8, 9, 10], true);
  assert.deepEqual(got, [8, 9, 10, 11, undefined]);
  it.socket.tell(stored(12));
  assert.deepEqual(got.slice(5), [12], "and after that nothing waits");
  assert.equal(asked(it.socket).length, 1);
});

test("without `history` there is no past", async (t) => {
  const it = world(t);
  for (const options of [{}, { history: 0 }]) it.room(options);
  it.socket.welcome({ offset: 10 });
  await settled();
  assert.deepEqual(asked(it.socket), []);
});

test("each holder gets its own past, whenever it comes, and the others nothing of it", async (t) => {
  const it = world(t);
  const [none, two] = [it.room(), it.room({ history: 2 })];
  const [nones, twos] = [offsets(none), offsets(two)];
  it.socket.welcome({ offset: 10 });
  await settled();
  await answer(it.socket, [9, 10]);
  it.socket.tell(stored(11));
  const late = it.room({ history: 5 });
  const lates = offsets(late);
  await settled();
  assert.deepEqual(asked(it.socket), [{ before: 11, limit: 2 }, { before: 12, limit: 5 }]);
  await answer(it.socket, range(7, 11));
  it.socket.tell(stored(12));
  assert.deepEqual([nones, twos, lates], [[11, 12], [9, 10, 11, 12], range(7, 12)]);
});

test("a holder who is taken out and back in upon a message has it once: from the past", async (t) => {
  const it = world(t);
  const [one, two] = [it.room(), it.room({ history: 5 })];
  const twos = offsets(two);
  it.socket.welcome({ offset: 1 });
  await settled();
  await answer(it.socket, [1]);
  const stop = one.onAny(() => {
    two.leave();
    two.connect();
  });
  it.socket.tell(stored(2));
  stop();
  it.socket.tell(stored(3));
  await settled();
  await answer(it.socket, [1, 2]);
  assert.deepEqual(twos, [1, 1, 2, 3]);
});

test("R2: a connection that recovered asks for nothing", async (t) => {
  const { it, got } = await begun(t, 2, 2);
  await answer(it.socket, [1, 2]);
  it.socket.end();
  (await it.next()).welcome({ recovered: true, offset: 4 });
  it.socket.tell(stored(3), stored(4));
  await settled();
  assert.deepEqual(asked(it.socket), []);
  assert.deepEqual(got, range(1, 4));
});

test("R3, R6: a gap is filled page by page, before what is live", async (t) => {
  const { it, room, got } = await begun(t, 2, 2);
  const gaps = heard(room, "gap");
  await answer(it.socket, [1, 2]);
  it.socket.end();
  (await it.next()).welcome({ recovered: false, offset: 9 });
  await settled();
  assert.deepEqual(gaps, [{ after: 2, before: 10, reset: false }]);
  it.socket.tell(stored(10));
  await answer(it.socket, [3, 4, 5], true);
  await answer(it.socket, [6, 7], true);
  it.socket.tell(stored(11));
  await answer(it.socket, [8, 9]);
  assert.deepEqual(asked(it.socket), [
    { before: 10, after: 2 },
    { before: 10, after: 5 },
    { before: 10, after: 7 },
  ]);
  assert.deepEqual(got, range(1, 11));
});

test("R3: what the room no longer has is left out", async (t) => {
  const { it, got } = await begun(t, 1, 1);
  await answer(it.socket, [1]);
  it.socket.end();
  (await it.next()).welcome({ recovered: false, offset: 9 });
  await settled();
  it.socket.tell(stored(10));
  await answer(it.socket, []);
  assert.deepEqual(got, [1, 10]);
});

test("R3: from a room that began anew comes as much of the past as at first", async (t) => {
  const { it, got } = await begun(t, 2, 50);
  await answer(it.socket, [49, 50]);
  it.socket.end();
  (await it.next()).welcome({ recovered: false, epoch: "e2", offset: 3 });
  await settled();
  assert.deepEqual(asked(it.socket), [{ before: 4, limit: 2 }]);
  it.socket.tell(stored(4));
  await answer(it.socket, [2, 3], true, "e2");
  assert.deepEqual(got, [49, 50, 2, 3, 4]);
});

test("a drop before the past came: it is asked for again, and the missed follows it", async (t) => {
  const { it, got } = await begun(t, 2, 2);
  it.socket.tell(stored(3));
  it.socket.end();
  (await it.next()).welcome({ recovered: true, offset: 4 });
  it.socket.tell(stored(4));
  await settled();
  assert.deepEqual(asked(it.socket), [{ before: 3, limit: 2 }]);
  await answer(it.socket, [1, 2]);
  assert.deepEqual(got, range(1, 4));
});

test("a gap before the past came: past, what was live, what was missed, what is live", async (t) => {
  const { it, got } = await begun(t, 2, 2);
  it.socket.tell(stored(3));
  it.socket.end();
  (await it.next()).welcome({ recovered: false, offset: 6 });
  it.socket.tell(stored(7));
  await settled();
  await answer(it.socket, [1, 2]);
  assert.deepEqual(got, [1, 2, 3]);
  assert.deepEqual(asked(it.socket), [{ before: 3, limit: 2 }, { before: 7, after: 3 }]);
  it.socket.end();
  (await it.next()).welcome({ recovered: false, offset: 9 });
  it.socket.tell(stored(10));
  await settled();
  await answer(it.socket, [4, 5, 6]);
  assert.deepEqual(got, range(1, 7));
  await answer(it.socket, [8, 9]);
  assert.deepEqual(got, range(1, 10));
});

test("a room that begins anew before the past came: what was live, and then what is new", async (t) => {
  const { it, got } = await begun(t, 2, 20);
  it.socket.tell(stored(21));
  it.socket.end();
  (await it.next()).welcome({ recovered: false, epoch: "e2", offset: 2 });
  it.socket.tell(stored(3));
  await settled();
  await answer(it.socket, [1, 2], false, "e2");
  assert.deepEqual(got, [21], "the answer is about another epoch than the question was");
  await answer(it.socket, [1, 2], false, "e2");
  assert.deepEqual(got, [21, 1, 2, 3]);
});

test("a past that is refused holds nothing up, and is told of", async (t) => {
  const { it, room, got } = await begun(t, 2, 2);
  const errors = heard(room, "error");
  it.socket.tell(stored(3));
  it.socket.tell({ type: "error", id: "1", code: "forbidden", message: "No.", retryable: false });
  await settled();
  assert.deepEqual(got, [3]);
  assert.deepEqual(errors.map(({ code }) => code), ["forbidden"]);
  it.socket.tell(stored(4));
  assert.deepEqual(got, [3, 4]);
});

test("leaving while the past is fetched: it never comes, also if another holder stays", async (t) => {
  const { it, room, got } = await begun(t, 2, 2);
  it.room();
  it.socket.tell(stored(3));
  room.leave();
  await answer(it.socket, [1, 2]);
  assert.deepEqual(got, []);
});

test("leaving and coming back while the past is fetched: it comes once", async (t) => {
  const { it, room, got } = await begun(t, 2, 2);
  it.room();
  it.socket.tell(stored(3));
  room.leave();
  room.connect();
  it.socket.tell(stored(4));
  await answer(it.socket, [1, 2]);
  assert.deepEqual(got, []);
  assert.deepEqual(asked(it.socket), [{ before: 3, limit: 2 }, { before: 4, limit: 2 }]);
  await answer(it.socket, [2, 3]);
  assert.deepEqual(got, [2, 3, 4]);
});

test("leaving inside a handler stops the past and what waits behind it", async (t) => {
  for (const last of [1, 2, 3]) {
    const it = world(t);
    const room = it.room({ history: 2 });
    const got: unknown[] = [];
    room.onAny(({ offset }) => {
      got.push(offset);
      if (offset === last) room.leave();
    });
    it.socket.welcome({ offset: 2 });
    await settled();
    it.socket.tell(stored(3), stored(4));
    await answer(it.socket, [1, 2]);
    assert.deepEqual(got, range(1, last));
    t.mock.restoreAll();
  }
});

test("after leaving and coming back the past is fetched again", async (t) => {
  const { it, room, got } = await begun(t, 1, 2);
  await answer(it.socket, [2]);
  room.leave();
  room.connect();
  it.socket.welcome({ offset: 3 });
  await settled();
  assert.deepEqual(asked(it.socket), [{ before: 4, limit: 1 }]);
  await answer(it.socket, [3]);
  assert.deepEqual(got, [2, 3]);
});
