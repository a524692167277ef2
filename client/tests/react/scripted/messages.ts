// useMessages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StrictMode, createElement as h } from "react";
import { useMessages, useRoom } from "../../../src/react.ts";
import type { MessageLog } from "../../../src/react.ts";
import { createLog } from "../../../src/react/log.ts";
import { settled, stored, world } from "../../unit/fake.ts";
import { probe, show } from "../page.ts";
import { inside } from "./scene.ts";

/** A room with a list of messages, and what answers what it asks for. */
async function list(t: test.TestContext, use: () => MessageLog, offset = 5) {
  const it = world(t);
  const view = probe(use);
  await show(t, inside(it.client, h(view.View)));
  await settled();
  it.socket.welcome({ offset });
  await settled();
  const requests = () => it.socket.messages.filter(({ type }) => type === "history");
  let answered = 0;
  return {
    ...it,
    get socket() {
      return it.socket;
    },
    requests,
    get log() {
      return view.last;
    },
    seen: view.seen,
    /** What is shown. */
    get data() {
      return view.last.messages.map(({ data }) => data);
    },
    /** Answers the next request, and tells what was asked. */
    async answer(offsets: number[], more = false, ...then: object[]) {
      const request = requests()[answered++];
      assert.ok(request, "nothing was asked for");
      const { id, limit, before, after } = request;
      const messages = offsets.map((one) => stored(one));
      it.socket.tell({ type: "history", id, messages, epoch: "e1", more }, ...(then as never[]));
      await settled();
      return { limit, before: before ?? undefined, after };
    },
    /** The connection breaks and comes back. */
    async reconnect(welcome: object) {
      it.socket.end();
      await it.pass(500);
      answered = 0;
      it.socket.welcome(welcome);
      await settled();
    },
  };
}

test("useMessages merges history and what comes, in order and each once", async (t) => {
  const it = await list(t, () => useMessages(undefined, { limit: 3 }));
  assert.deepEqual([it.log.loading, it.log.messages], [true, []]);
  it.socket.tell(stored(6));
  await settled();
  assert.deepEqual(it.data, [], "nothing before that which comes before it");
  const asked = await it.answer([4, 5, 6], true, stored(7), { ...stored(8), offset: undefined });
  assert.deepEqual(asked, { limit: 3, before: undefined, after: undefined });
  assert.deepEqual([it.data, it.log.loading, it.log.more], [[4, 5, 6, 7], false, true]);

  const renders = it.seen.length;
  it.socket.tell(stored(8));
  await settled();
  assert.deepEqual([it.data, it.seen.length], [[4, 5, 6, 7, 8], renders + 1]);

  it.log.loadMore();
  it.log.loadMore();
  await settled();
  assert.equal(it.log.loading, true);
  assert.deepEqual(await it.answer([1, 2, 3]), { limit: 3, before: 4, after: undefined });
  assert.deepEqual([it.data, it.log.loading, it.log.more], [[1, 2, 3, 4, 5, 6, 7, 8], false, false]);
  it.log.loadMore();
  await settled();
  assert.equal(it.requests().length, 2);
  assert.ok(it.seen.every(({ loadMore }) => loadMore === it.log.loadMore));
});

test("useMessages takes the events it is asked for, and looks further back until it has found some", async (t) => {
  const it = await list(t, () => useMessages(["news", "alert"], { limit: 2 }));
  const renders = it.seen.length;
  it.socket.tell(stored(6));
  await settled();
  assert.equal(it.seen.length, renders, "what is not shown renders nothing");
  await it.answer([5, 6], true);
  assert.deepEqual([it.data, it.log.loading], [[], true]);
  const { id, before } = it.requests()[1];
  assert.equal(before, 5);
  it.socket.tell({ type: "history", id, messages: [stored(3, "a", "alert"), stored(4)], epoch: "e1", more: true });
  await settled();
  assert.deepEqual([it.data, it.log.loading, it.log.more], [["a"], false, true]);
  it.socket.tell(stored(7, "n", "news"), stored(8));
  await settled();
  assert.deepEqual(it.data, ["a", "n"]);
  it.log.loadMore();
  await settled();
  assert.equal(it.requests()[2].before, 3);
});

test("useMessages in a room without messages shows the first one that comes", async (t) => {
  const it = await list(t, () => useMessages("chat"), 0);
  await it.answer([], false, stored(1));
  assert.deepEqual([it.data, it.log.loading, it.log.more], [[1], false, false]);
});

test("useMessages goes on after a loss without a gap as if nothing had been", async (t) => {
  const it = await list(t, () => useMessages("chat"));
  await it.answer([4, 5], true);
  await it.reconnect({ offset: 7, recovered: true });
  it.socket.tell(stored(6), stored(7));
  await settled();
  assert.deepEqual([it.data, it.requests().length], [[4, 5, 6, 7], 0]);
});

test("useMessages begins anew after a gap, even if a second one comes before", async (t) => {
  const it = await list(t, () => useMessages("chat"));
  await it.answer([4, 5]);
  await it.reconnect({ offset: 800, recovered: false });
  await it.reconnect({ offset: 900, recovered: false });
  it.socket.tell(stored(901));
  await settled();
  assert.deepEqual(it.data, [4, 5]);
  // The first request is sent again by the new connection, and its answer counts no more.
  for (const _ of it.requests()) await it.answer([899, 900, 901], true);
  assert.deepEqual([it.data, it.log.more, it.log.loading], [[899, 900, 901], true, false]);
  it.log.loadMore();
  await settled();
  assert.equal(it.requests().at(-1).before, 899);
});

test("useMessages begins anew when the room did, even if older messages are on their way", async (t) => {
  const it = await list(t, () => useMessages("chat"));
  await it.answer([4, 5], true);
  it.log.loadMore();
  await settled();
  await it.reconnect({ offset: 2, recovered: false, epoch: "e2" });
  assert.deepEqual(it.data, [4, 5], "until there is something else to show");
  await it.answer([1, 2]);
  await it.answer([1, 2]);
  assert.deepEqual([it.data, it.log.more, it.log.loading], [[1, 2], false, false]);
  it.socket.tell(stored(3));
  await settled();
  assert.deepEqual(it.data, [1, 2, 3]);
});

test("useMessages tells why messages are missing, and tries again with the next connection", async (t) => {
  const it = await list(t, () => useMessages("chat"));
  const why = () => it.log.error?.code;
  const [{ id }] = it.requests();
  it.socket.tell({ type: "error", id, code: "forbidden", message: "No.", retryable: false });
  await settled();
  assert.deepEqual([why(), it.log.loading], ["forbidden", false]);
  it.socket.tell(stored(6));
  await settled();
  assert.deepEqual(it.data, [6], "what comes is shown");
  await it.reconnect({ offset: 6, recovered: true });
  assert.equal(why(), undefined);
  await it.answer([4, 5, 6], true);
  assert.deepEqual([it.data, it.log.more], [[4, 5, 6], true]);

  it.log.loadMore();
  await settled();
  it.socket.tell({ type: "error", id: it.requests()[1].id, code: "forbidden", message: "No.", retryable: false });
  await settled();
  assert.deepEqual([why(), it.log.loading, it.log.more], ["forbidden", false, true]);
  it.socket.tell(stored(7));
  it.log.loadMore();
  await settled();
  assert.deepEqual([it.data, it.log.error, it.log.loading], [[4, 5, 6, 7], undefined, true]);
});

test("useMessages asks again for its first page with loadMore if that failed", async (t) => {
  const it = await list(t, () => useMessages("chat"));
  const [{ id }] = it.requests();
  it.socket.tell({ type: "error", id, code: "internal", message: "No.", retryable: false });
  await settled();
  assert.deepEqual([it.log.error?.code, it.log.more], ["internal", false]);
  it.log.loadMore();
  await settled();
  assert.deepEqual([it.log.error, it.log.loading, it.requests().length], [undefined, true, 2]);
});

test("useMessages tells that the room refused, and goes on when it lets us in again", async (t) => {
  const it = await list(t, () => [useMessages("chat"), useRoom()][0] as MessageLog);
  await it.answer([4, 5]);
  it.socket.end(4505, "spam");
  await settled();
  assert.deepEqual([it.log.error?.code, it.log.loading, it.data], ["removed", false, [4, 5]]);
  it.client.room("lobby").connect();
  it.socket.welcome({ offset: 6, recovered: true });
  it.socket.tell(stored(6));
  await settled();
  assert.deepEqual([it.log.error, it.data], [undefined, [4, 5, 6]]);
});

test("useMessages under StrictMode ends up with every message once", async (t) => {
  const it = world(t);
  const view = probe(() => useMessages("chat"));
  const room = it.client.room("lobby");
  t.after(() => room.leave());
  it.socket.welcome({ offset: 2 });
  await show(t, h(StrictMode, null, inside(it.client, h(view.View))));
  await settled();
  const requests = it.socket.messages.filter(({ type }) => type === "history");
  for (const { id } of requests) {
    it.socket.tell({ type: "history", id, messages: [stored(1), stored(2)], epoch: "e1", more: false }, stored(3));
  }
  await settled();
  assert.deepEqual([view.last.messages.map(({ data }) => data), view.last.loading], [[1, 2, 3], false]);
});

test("useMessages begins anew when the room was left and entered again: nobody tells what was missed", async (t) => {
  let room: ReturnType<typeof useRoom>;
  const it = await list(t, () => ((room = useRoom()), useMessages("chat")));
  await it.answer([4, 5], true);
  room!.leave();
  room!.connect();
  await settled();
  it.socket.welcome({ offset: 9 });
  await settled();
  assert.deepEqual(it.data, [4, 5], "until there is something else to show");
  it.socket.tell({ type: "history", id: it.requests().at(-1).id, messages: [8, 9].map((n) => stored(n)), epoch: "e1", more: true }, stored(10));
  await settled();
  assert.deepEqual([it.data, it.log.more], [[8, 9, 10], true]);
});

test("useMessages begins anew when its holder left and came back while others kept the room connected", async (t) => {
  let room: ReturnType<typeof useRoom>;
  const it = await list(t, () => ((room = useRoom()), useMessages("chat")));
  await it.answer([4, 5], true);
  const other = it.client.room("lobby");
  room!.leave();
  it.socket.tell(stored(6));
  room!.connect();
  it.socket.tell(stored(7));
  await settled();
  assert.deepEqual(it.data, [4, 5], "until there is something else to show");
  await it.answer([5, 6, 7], true);
  assert.deepEqual([it.data, it.log.more, it.log.loading], [[5, 6, 7], true, false]);
  other.leave();
});

test("useMessages loads nothing more for a holder that left, and has no hole when it came back", async (t) => {
  let room: ReturnType<typeof useRoom>;
  const it = await list(t, () => ((room = useRoom()), useMessages("chat")));
  await it.answer([4, 5], true);
  const other = it.client.room("lobby");
  room!.leave();
  await settled();
  assert.deepEqual([it.data, it.log.more, it.log.loading], [[4, 5], false, false]);
  it.log.loadMore();
  if (it.requests()[1]) await it.answer([5], true);
  it.socket.tell(stored(6));
  room!.connect();
  await settled();
  if (it.requests()[1]) await it.answer([5, 6], true);
  assert.deepEqual([it.data, it.log.more, it.log.loading], [[5, 6], true, false]);
  other.leave();
});

test("a list that nobody follows for a while begins anew then, whatever was loaded meanwhile", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { offset: 5 });
  const requests = () => it.socket.messages.filter(({ type }) => type === "history");
  const answer = async (offset: number) => {
    const { id } = requests().at(-1)!;
    it.socket.tell({ type: "history", id, messages: [stored(offset)], epoch: "e1", more: true });
    await settled();
  };
  const [follow, get] = createLog(room, "chat", 1, 10);
  const end = follow(() => {});
  await answer(5);
  end();
  get().loadMore();
  await answer(5);
  it.socket.tell(stored(6));
  follow(() => {});
  await answer(6);
  assert.deepEqual([requests().length, get().messages.map(({ data }) => data)], [3, [6]]);
});

test("useMessages keeps `max`: each message that comes takes the oldest off, and loadMore has it again", async (t) => {
  const it = await list(t, () => useMessages("chat", { limit: 2, max: 4 }), 4);
  await it.answer([3, 4]);
  it.socket.tell(stored(5), stored(6));
  await settled();
  assert.deepEqual([it.data, it.log.more], [[3, 4, 5, 6], false]);
  it.socket.tell(stored(7), stored(8, "x", "other"), stored(9));
  await settled();
  assert.deepEqual([it.data, it.log.more], [[5, 6, 7, 9], true]);
  it.log.loadMore();
  it.socket.tell(stored(10));
  await settled();
  assert.deepEqual(it.data, [5, 6, 7, 9, 10], "not while those before it are on their way");
  assert.deepEqual(await it.answer([3, 4]), { limit: 2, before: 5, after: undefined });
  assert.deepEqual([it.data, it.log.more], [[3, 4, 5, 6, 7, 9, 10], false], "what was asked for stays");
  it.socket.tell(stored(11));
  await settled();
  assert.deepEqual([it.data, it.log.more], [[4, 5, 6, 7, 9, 10, 11], true], "until more comes");
});

test("useMessages keeps 1,000 unless told otherwise, also of a history that it may not read", async (t) => {
  const it = await list(t, () => useMessages("chat"), 0);
  it.socket.tell({ type: "error", id: it.requests()[0].id, code: "forbidden", message: "No.", retryable: false });
  await settled();
  it.socket.tell(...Array.from({ length: 1_500 }, (_, index) => stored(index + 1)));
  await settled();
  assert.deepEqual([it.data.length, it.data[0], it.data.at(-1)], [1_000, 501, 1_500]);
});

test("useMessages shows what it had when what it begins anew with cannot be had", async (t) => {
  const it = await list(t, () => useMessages("chat"));
  await it.answer([4, 5]);
  await it.reconnect({ offset: 900, recovered: false });
  it.socket.tell({ type: "error", id: it.requests()[0].id, code: "forbidden", message: "No.", retryable: false });
  await settled();
  assert.deepEqual([it.log.error?.code, it.data], ["forbidden", [4, 5]]);
  it.socket.tell(stored(901));
  await settled();
  assert.deepEqual(it.data, [901], "until there is something else");
});

test("useMessages tells of no error once it has what was missing", async (t) => {
  const it = await list(t, () => useMessages("chat"));
  // The question of the old user is not answered to the new one; the list asks again.
  await it.reconnect({ offset: 5, recovered: false, connection: "9", user: { id: "bob", info: {} } });
  assert.equal(it.log.error?.code, "user_changed");
  await it.answer([4, 5]);
  assert.deepEqual([it.log.error, it.data, it.log.loading], [undefined, [4, 5], false]);
});
