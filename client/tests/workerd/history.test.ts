// What was missed: told when it cannot be replayed, and fetched where that was asked for.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { createClient } from "../../src/index.ts";
import type { Message, Room } from "../../src/index.ts";
import { request } from "../../../tests/workerd/client.mjs";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { startNetwork } from "./network.ts";
import { ANONYMOUS, ask, enter, freshRoom, hasten } from "./person.ts";
import type { Entrance } from "./person.ts";
import { watchSockets } from "./sockets.ts";

const server = await startServer(test, { vars: { ...ANONYMOUS, RECOVER_MESSAGES: 5, RATE_BURST: 10_000 } });

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function say(room: Room, from: number, to: number) {
  await Promise.all(numbers(from, to).map((data) => room.publish("e", data)));
}

/** Ana behind a network of her own, and bob. */
async function pair(t: TestContext, { at = server, ...options }: Entrance & { at?: typeof server } = {}) {
  hasten(t);
  const room = freshRoom();
  const network = await startNetwork(t, at);
  const bob = await enter(t, at, { user: "bob", room, outbox: 1_000 });
  const ana = await enter(t, network, { user: "ana", room, ...options });
  return { room, network, ana, bob };
}

/** Cuts ana off, does something, and lets her come back. */
async function meanwhile({ network, ana }: Awaited<ReturnType<typeof pair>>, work: () => Promise<unknown>) {
  network.refusing = true;
  network.cut();
  await ana.is("reconnecting");
  await work();
  network.refusing = false;
  ana.room.connect();
  await ana.is("connected");
}

/** All that `room.history` has between two offsets. */
async function fetchAll(room: Room, after: number, before: number): Promise<Message[]> {
  const found: Message[] = [];
  for (let more = true; more; ) {
    const page = await room.history({ after, before, limit: 7 });
    found.push(...page.messages);
    more = page.more;
    after = found.at(-1)?.offset ?? before;
  }
  return found;
}

test("R2: as many messages as the room replays are no gap", async (t) => {
  const people = await pair(t);
  await say(people.bob.room, 1, 2);
  await people.ana.hears(2);
  await meanwhile(people, () => say(people.bob.room, 3, 7));
  await people.ana.hears(7);
  assert.deepEqual([people.ana.heard, people.ana.gaps], [numbers(1, 7), []]);
});

test("R3, R6: a gap is told with its bounds, and the history between them fills it", async (t) => {
  const people = await pair(t);
  const { ana, bob } = people;
  await say(bob.room, 1, 3);
  await ana.hears(3);
  for (const [from, to] of [
    [4, 33],
    [40, 70],
  ] as const) {
    const known = ana.gaps.length;
    await meanwhile(people, () => say(bob.room, from, to));
    await until(() => ana.gaps.length > known, "the gap");
    await say(bob.room, to + 1, to + 1);
    await ana.hears(to + 1);
    const gap = ana.gaps.at(-1)!;
    const filled = (await fetchAll(ana.room, gap.after, gap.before)).map(({ data }) => data);
    assert.deepEqual([gap.reset, filled], [false, numbers(from, to)]);
    await say(bob.room, to + 2, 39);
    if (to < 39) await ana.hears(39);
  }
  assert.deepEqual(ana.heard, [...numbers(1, 3), ...numbers(34, 39), 71]);
});

test("R3: with nothing missed there is no gap, though nothing can be replayed", async (t) => {
  const none = await startServer(t, { vars: { ...ANONYMOUS, HISTORY_MESSAGES: 0 } });
  hasten(t);
  const network = await startNetwork(t, none);
  const bob = await enter(t, none, { user: "bob" });
  const ana = await enter(t, network, { user: "ana", history: 10 });
  await say(bob.room, 1, 3);
  await ana.hears(3);
  network.cut();
  await until(() => ana.statuses.filter((status) => status === "connected").length === 2, "ana to be back");
  await say(bob.room, 4, 4);
  await ana.hears(4);
  assert.deepEqual([ana.heard, ana.gaps], [numbers(1, 4), []]);
});

test("R3, N5: of a gap that the history no longer reaches, what it has is there in order", async (t) => {
  const short = await startServer(t, { vars: { ...ANONYMOUS, HISTORY_MESSAGES: 10 } });
  for (const history of [0, 100]) {
    const people = await pair(t, { history, at: short });
    const { ana, bob } = people;
    await say(bob.room, 1, 3);
    await ana.hears(3);
    await meanwhile(people, () => say(bob.room, 4, 50));
    // What comes now ends what is oldest, also before it was fetched.
    if (history) await ana.hears(50);
    await say(bob.room, 51, 51);
    await ana.hears(51);
    assert.deepEqual(ana.gaps, [{ after: 3, before: 51, reset: false }]);
    assert.deepEqual(ana.heard, [1, 2, 3, ...(history ? numbers(41, 50) : []), 51]);
    assert.deepEqual((await fetchAll(ana.room, 3, 51)).map(({ data }) => data), numbers(42, 50));
  }
});

test("R6: with `history` the first messages are the newest of before: fewer, as many, none", async (t) => {
  hasten(t);
  const room = freshRoom();
  const none = await enter(t, server, { user: "none", room, history: 5 });
  const bob = await enter(t, server, { user: "bob", room });
  await none.room.publish("e", 0);
  await none.hears(0);
  await say(bob.room, 1, 20);
  const [few, all, more, zero] = await Promise.all(
    [5, 21, 100, 0].map((history) => enter(t, server, { user: `${history}`, room, history })),
  );
  await say(bob.room, 21, 22);
  await Promise.all([few, all, more, zero, none].map((person) => person!.hears(22)));
  assert.deepEqual(few!.heard, numbers(16, 22));
  assert.deepEqual(all!.heard, numbers(0, 22));
  assert.deepEqual(more!.heard, numbers(0, 22));
  assert.deepEqual(zero!.heard, [21, 22]);
  assert.deepEqual(none.heard, numbers(0, 22));
});

test("R6: the history joins what comes meanwhile without a gap or a double", async (t) => {
  hasten(t);
  const room = freshRoom();
  // However late the answers are.
  const bob = await enter(t, server, { user: "bob", room, outbox: 10_000 });
  let next = 1;
  await say(bob.room, next, (next += 30) - 1);
  const sockets = watchSockets();
  const acks: Promise<unknown>[] = [];
  const talk = setInterval(() => acks.push(bob.room.publish("e", next++)), 2);
  t.after(() => clearInterval(talk));
  const people = [];
  for (let round = 0; round < 5; round++) {
    const options = { user: `ana-${round}`, room, history: 25 };
    people.push(await enter(t, server, round ? options : { ...options, WebSocket: sockets.Class }));
    // The first one's answer comes late.
    if (!round) sockets.holds = (frame) => frame.includes(`"type":"history"`);
  }
  await until(() => next > 100, "some more messages");
  sockets.release();
  clearInterval(talk);
  await Promise.all(acks);
  await bob.room.publish("e", next);
  for (const person of people) {
    await person.hears(next);
    const first = person.heard[0] as number;
    assert.deepEqual(person.heard, numbers(first, next));
    assert.ok(person.messages.findIndex(({ offset }) => offset! > first) === 1 && first > 0);
  }
});

test("R3, R6: with `history` the handlers get what was missed too, all of it in order", async (t) => {
  const people = await pair(t, { history: 10 });
  const { ana, bob } = people;
  await say(bob.room, 1, 3);
  await ana.hears(3);
  await meanwhile(people, () => say(bob.room, 4, 250));
  await say(bob.room, 251, 252);
  await ana.hears(252);
  assert.deepEqual(ana.heard, numbers(1, 252));
  assert.deepEqual(ana.gaps, [{ after: 3, before: 251, reset: false }]);
});

test("R3, R6: two gaps one after the other are filled in order, also when the first is not yet when the second comes", async (t) => {
  const sockets = watchSockets();
  const people = await pair(t, { history: 10, WebSocket: sockets.Class });
  const { ana, bob } = people;
  await say(bob.room, 1, 3);
  await ana.hears(3);
  let lost = 0;
  sockets.loses = (frame) => frame.includes(`"type":"history"`) && ++lost > 0;
  await meanwhile(people, () => say(bob.room, 4, 20));
  await until(() => lost > 0, "an answer that is lost");
  // These come, and have to wait for what is older.
  await say(bob.room, 21, 21);
  await say(bob.room, 22, 22);
  await until(() => sockets.came.some((frame) => /"offset":22\b/.test(frame)), "both to come");
  sockets.loses = () => false;
  await meanwhile(people, () => say(bob.room, 23, 40));
  await say(bob.room, 41, 42);
  await ana.hears(42);
  assert.deepEqual(ana.heard, numbers(1, 42));
});

test("R2, R6: who joins while the connection is being restored gets each message once", async (t) => {
  const sockets = watchSockets();
  hasten(t);
  const room = freshRoom();
  const network = await startNetwork(t, server);
  const client = createClient({ url: network.url, user: "ana", WebSocket: sockets.Class });
  const bob = await enter(t, server, { user: "bob", room });
  const one = await enter(t, network, { client, room });
  await say(bob.room, 1, 3);
  await one.hears(3);
  network.refusing = true;
  network.cut();
  await one.is("reconnecting");
  await say(bob.room, 4, 6);
  const two = ask(t, network, { client, room, history: 10 });
  network.refusing = false;
  await two.is("connected");
  await say(bob.room, 7, 7);
  await Promise.all([one.hears(7), two.hears(7)]);
  assert.deepEqual([one.heard, two.heard], [numbers(1, 7), numbers(1, 7)]);
});

test("R6: a history of large messages is the newest of them, without a gap", async (t) => {
  hasten(t);
  const room = freshRoom();
  const bob = await enter(t, server, { user: "bob", room });
  const text = "x".repeat(20_000);
  for (let index = 1; index <= 30; index++) await bob.room.publish("e", `${index} ${text}`);
  const ana = await enter(t, server, { user: "ana", room, history: 30 });
  await bob.room.publish("e", "31");
  await ana.hears("31");
  const heard = ana.heard.map((data) => parseInt(`${data}`));
  assert.deepEqual(heard, numbers(heard[0]!, 31));
  assert.ok(heard.length > 10);
});

test("R3, H5: a room that began anew meanwhile says so, and its messages count from 1", async (t) => {
  for (const history of [0, 10]) {
    const people = await pair(t, { history });
    const { ana, bob, room } = people;
    await say(bob.room, 1, 3);
    await ana.hears(3);
    const again = freshRoom();
    await meanwhile(people, async () => {
      await request(server, "DELETE", `/room/${room}?user=admin`, { token: null });
      await bob.is("disconnected");
      assert.equal(bob.room.error?.code, "room_deleted");
      bob.room.connect();
      await bob.is("connected");
      await say(bob.room, 11, 12);
    });
    await say(bob.room, 13, 13);
    await ana.hears(13);
    assert.deepEqual(ana.gaps, [{ after: 0, before: 3, reset: true }], again);
    assert.deepEqual(ana.heard, history ? [1, 2, 3, 11, 12, 13] : [1, 2, 3, 13]);
    assert.deepEqual((await fetchAll(ana.room, 0, 3)).map(({ data }) => data), [11, 12]);
  }
});

test("R6: history can be asked for while there is no connection, and is answered when there is", async (t) => {
  const people = await pair(t);
  await say(people.bob.room, 1, 5);
  let page: ReturnType<Room["history"]> | undefined;
  await meanwhile(people, async () => {
    page = people.ana.room.history({ limit: 2 });
  });
  const { messages, more } = (await page)!;
  assert.deepEqual([messages.map(({ data }) => data), more], [[4, 5], true]);
  await assert.rejects(people.ana.room.history({ limit: 0 }), { code: "bad_message", retryable: false });
});
