// The hooks against sockets and a clock that do what a test says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Component, StrictMode, createElement as h, memo, useEffect, useState, version } from "react";
import type { ReactNode } from "react";
import { renderToString } from "react-dom/server";
import * as door from "../../src/react.ts";
import { RoomProvider, RoomfulProvider, createRoomContext, useEvent } from "../../src/react.ts";
import { shallow } from "../../src/react/shallow.ts";
import { useLostConnection, useMessages, useMyState, useOther, useOthers } from "../../src/react.ts";
import { usePublish, useRoom, useSelf, useStatus, useUsers } from "../../src/react.ts";
import type { ConnectionEvent, MessageLog } from "../../src/react.ts";
import { RoomfulError } from "../../src/index.ts";
import type { Client } from "../../src/index.ts";
import { FakeSocket, OWN, URL, member, settled, stored, world } from "../unit/fake.ts";
import { probe, show } from "./page.ts";

/** A room's provider with a client's around it. */
const inside = (client: Client, children: ReactNode, options: object = {}) =>
  h(RoomfulProvider, { client }, h(RoomProvider, { id: "lobby", ...options }, children));

const bob = member("2", { name: "bob" });
const eve = member("3", { name: "eve" });

const Everything = () => {
  const parts = {
    status: useStatus(),
    self: useSelf(),
    others: useOthers(),
    other: useOther("2"),
    users: useUsers().length,
    state: useMyState()[0],
    log: useMessages("chat"),
  };
  usePublish();
  useEvent("chat", () => {});
  useLostConnection(() => {});
  return h("p", null, JSON.stringify(parts));
};

/** What is known of a room from outside. */
const OUTSIDE = {
  status: "initial",
  self: null,
  others: [],
  other: null,
  users: 0,
  state: { x: 0 },
  log: { messages: [], loading: true, more: false },
};

// The first, while there is no document.
test("on the server everything renders, nothing connects, and the browser takes over what was rendered", async (t) => {
  assert.equal(version.split(".")[0], process.env["REACT"] ?? "19");
  assert.equal(typeof document, "undefined");
  const it = world(t);
  const page = inside(it.client, h(Everything), { initialState: { x: 0 } });
  const html = renderToString(page);
  assert.equal(html, renderToString(page));
  const [, text] = /<p>(.*)<\/p>/.exec(html)!;
  assert.deepEqual(JSON.parse(text.replaceAll("&quot;", '"')), OUTSIDE);
  assert.deepEqual([it.sockets.length, it.timers], [0, 0]);

  const { container } = await show(t, page, html);
  await settled();
  assert.equal(it.sockets.length, 1);
  assert.match(container.innerHTML, /connecting/);
  it.socket.welcome({ members: [OWN, bob] });
  await settled();
  assert.match(container.innerHTML, /bob/);
});

test("a hook outside of its provider says what is missing", async (t) => {
  const it = world(t);
  const names = Object.keys(door).filter((name) => /^use/.test(name)) as "useRoom"[];
  assert.ok(names.length > 10);
  for (const name of names) {
    const use = door[name] as (...args: unknown[]) => unknown;
    const View = () => h("p", null, String(use("x", () => {})));
    const missing = (thrown: unknown) => {
      assert.ok(thrown instanceof RoomfulError);
      assert.equal(thrown.code, "no_provider");
      return /RoomProvider/.test(thrown.message);
    };
    assert.throws(() => renderToString(h(View)), missing, name);
    const Other = createRoomContext().RoomProvider;
    const elsewhere = h(RoomfulProvider, { client: it.client }, h(Other, { id: "lobby" }, h(View)));
    assert.throws(() => renderToString(elsewhere), missing, "of another context");
  }
  assert.throws(() => renderToString(h(RoomProvider, { id: "lobby" })), /RoomfulProvider/);
});

test("under StrictMode there is one socket, also with a client of the provider's own", async (t) => {
  const it = world(t);
  const sockets: FakeSocket[] = [];
  const Socket = class extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  };
  const page = (user: string) =>
    h(
      StrictMode,
      null,
      h(RoomfulProvider, { url: URL, WebSocket: Socket, user }, h(RoomProvider, { id: "lobby" }, h(Everything))),
      inside(it.client, h(Everything)),
    );
  const { show: render } = await show(t, page("ana"));
  await it.pass(2_000);
  render(page("bob"));
  await it.pass(2_000);
  assert.deepEqual([sockets.length, it.sockets.length], [1, 1]);
  assert.deepEqual([sockets[0].closed, it.socket.closed], [undefined, undefined]);
  assert.equal(sockets[0].url.search, "?user=ana&", "options are taken once");
});

test("a room is left half a second after its last provider, and not at all if another comes in time", async (t) => {
  const it = world(t);
  const page = await show(t, inside(it.client, h(Everything)));
  await settled();
  it.socket.welcome();
  page.clear();
  await it.pass(499);
  page.show(inside(it.client, h(Everything)));
  await it.pass(5_000);
  assert.deepEqual([it.sockets.length, it.socket.closed], [1, undefined]);
  assert.match(page.text, /connected/);

  page.show([inside(it.client, h("i"), {}), inside(it.client, h("b"))].map((one, key) => h("div", { key }, one)));
  await it.pass(5_000);
  page.show([inside(it.client, h("i"), {})].map((one, key) => h("div", { key }, one)));
  await it.pass(5_000);
  assert.deepEqual([it.sockets.length, it.socket.closed], [1, undefined]);

  page.clear();
  await it.pass(499);
  assert.equal(it.socket.closed, undefined);
  await it.pass(1);
  assert.equal(it.socket.closed, 1000);
  await it.pass(60_000);
  assert.deepEqual([it.sockets.length, it.timers], [1, 0]);
});

test("another id leaves the room and enters that", async (t) => {
  const it = world(t);
  const { View, seen } = probe(() => [useRoom().id, useStatus(), useOthers(({ length }) => length)]);
  const page = await show(t, inside(it.client, h(View)));
  await settled();
  it.socket.welcome({ members: [OWN, bob] });
  await settled();
  page.show(inside(it.client, h(View), { id: "attic" }));
  await settled();
  assert.deepEqual(
    it.sockets.map(({ url, closed }) => [url.pathname, closed]),
    [
      ["/room/lobby", undefined],
      ["/room/attic", undefined],
    ],
  );
  await it.pass(500);
  assert.equal(it.sockets[0].closed, 1000);
  assert.deepEqual(seen.slice(-3), [
    ["lobby", "connected", 1],
    ["attic", "initial", 0],
    ["attic", "connecting", 0],
  ]);
});

test("enabled decides whether the room is entered; outside, the hooks tell what they tell on the server", async (t) => {
  const it = world(t);
  const { View, seen } = probe(() => [useStatus(), useOthers(({ length }) => length), useMessages().messages.length]);
  const page = await show(t, inside(it.client, h(View), { enabled: false }));
  await it.pass(1_000);
  assert.equal(it.sockets.length, 0);
  page.show(inside(it.client, h(View)));
  await settled();
  it.socket.welcome({ members: [OWN, bob] });
  await settled();
  it.socket.tell({ type: "history", id: it.socket.messages[0].id, messages: [stored(1)], epoch: "e1", more: false });
  await settled();
  assert.deepEqual(seen.at(-1), ["connected", 1, 1]);
  page.show(inside(it.client, h(View), { enabled: false }));
  await settled();
  assert.deepEqual(seen.at(-1), ["initial", 0, 0]);
  await it.pass(500);
  assert.equal(it.socket.closed, 1000);
  page.show(inside(it.client, h(View)));
  await settled();
  assert.equal(it.sockets.length, 2);
  it.socket.welcome({ members: [OWN, bob] });
  await settled();
  assert.deepEqual(seen.at(-1), ["connected", 1, 0]);
});

test("effects of components find the room connecting, so that what they publish is sent", async (t) => {
  const it = world(t);
  const outcomes: string[] = [];
  const Eager = () => {
    const say = usePublish("chat");
    useEffect(() => {
      say("hello").then(
        () => outcomes.push("sent"),
        ({ code }) => outcomes.push(code),
      );
    }, [say]);
    return null;
  };
  await show(t, inside(it.client, h(Eager)));
  await settled();
  it.socket.welcome();
  const { type, data, id } = it.socket.messages[0];
  assert.deepEqual([type, data], ["publish", "hello"]);
  it.socket.ack(id);
  await settled();
  assert.deepEqual(outcomes, ["sent"]);
});

test("useOthers renders again only when what it selects changed", async (t) => {
  const it = world(t);
  const all = probe(() => useOthers());
  const ids = probe(() => useOthers((others) => others.map(({ user }) => user.id)));
  const nested = probe(() => useOthers((others) => others.map(({ user }) => ({ id: user.id }))));
  const strict = probe(() => useOthers((others) => others.map(({ user }) => user.id), Object.is));
  const maps = probe(() => useOthers((others) => new Map(others.map(({ connection, state }) => [connection, state]))));
  const views = [all, ids, nested, strict, maps].map(({ View }, key) => h(memo(View), { key }));
  const mine = probe(() => useMyState());
  await show(t, inside(it.client, [...views, h(mine.View, { key: "mine" })]));
  await settled();
  it.socket.welcome({ members: [OWN, bob, eve] });
  await settled();
  assert.deepEqual(ids.last, ["bob", "eve"]);
  const counts = () => [all, ids, nested, strict, maps].map(({ seen }) => seen.length);
  const before = counts();

  it.socket.tell({ type: "states", states: { 2: { x: 1 } } });
  await settled();
  assert.deepEqual(counts(), [before[0] + 1, before[1], before[2] + 1, before[3] + 1, before[4] + 1]);
  assert.deepEqual(all.last.map(({ state }) => state), [{ x: 1 }, null]);
  assert.equal(all.last[1], all.seen.at(-2)![1], "who did not change is the same object");
  assert.deepEqual(maps.last.get("2"), { x: 1 });

  const [, update] = mine.last;
  const ours = mine.seen.length;
  update({ x: 9 });
  await settled();
  assert.equal(mine.seen.length, ours + 1);
  assert.equal(all.seen.length, before[0] + 1, "the own state is nobody else's");

  it.socket.tell({ type: "leave", connection: "3", user: "eve" });
  await settled();
  assert.deepEqual(ids.last, ["bob"]);
});

test("a selector may be another one with every render", async (t) => {
  const it = world(t);
  let choose: (wanted: string) => void;
  const { View, seen } = probe(() => {
    const [wanted, set] = useState("bob");
    choose = set;
    return useOthers((others) => others.filter(({ user }) => user.id === wanted).map(({ state }) => [wanted, state]));
  });
  await show(t, inside(it.client, h(View)));
  await settled();
  it.socket.welcome({ members: [OWN, bob, eve] });
  await settled();
  assert.deepEqual(seen.at(-1), [["bob", null]]);
  choose!("eve");
  await settled();
  assert.deepEqual(seen.at(-1), [["eve", null]]);
  it.socket.tell({ type: "states", states: { 3: 1 } });
  await settled();
  assert.deepEqual(seen.at(-1), [["eve", 1]]);
});

test("useOther follows one of the others, and nobody else", async (t) => {
  const it = world(t);
  const cells = ["2", "3"].map((id) => probe(() => useOther(id, ({ state }) => state)));
  const whole = probe(() => useOther("2"));
  await show(t, inside(it.client, [...cells, whole].map(({ View }, key) => h(memo(View), { key }))));
  await settled();
  it.socket.welcome({ members: [OWN, bob, eve] });
  await settled();
  const [two, three] = cells.map(({ seen }) => seen.length);
  it.socket.tell({ type: "states", states: { 2: { x: 1 } } });
  await settled();
  assert.deepEqual(cells.map(({ seen }) => seen.length), [two + 1, three]);
  assert.deepEqual(cells.map(({ last }) => last), [{ x: 1 }, null]);
  assert.deepEqual([whole.last?.user.id, whole.last?.state], ["bob", { x: 1 }]);
  it.socket.tell({ type: "leave", connection: "2", user: "bob" });
  await settled();
  assert.deepEqual([cells[0].last, whole.last], [null, null]);
});

test("useSelf and useUsers tell who is here, and nobody in a crowd", async (t) => {
  const it = world(t);
  const { View, seen } = probe(() => ({
    self: useSelf()?.user.id ?? null,
    users: useUsers().map(({ id, members }) => [id, members.length]),
  }));
  await show(t, inside(it.client, h(View)));
  await settled();
  assert.deepEqual(seen.at(-1), { self: null, users: [] });
  const members = [OWN, bob, member("3", { name: "bob" })];
  it.socket.welcome({ members, occupancy: { connections: 4, users: 2 } });
  await settled();
  const users = [["ana", 1], ["bob", 2]];
  assert.deepEqual(seen.at(-1), { self: "ana", users });
  it.socket.tell({ type: "occupancy", connections: 1_204, users: 1_188 });
  await settled();
  assert.deepEqual(seen.at(-1), { self: "ana", users: [] });
});

test("useMyState shows what is and will be shown, from the first moment", async (t) => {
  const it = world(t);
  const views = [probe(() => useMyState()), probe(() => useMyState())];
  const [mine, too] = views;
  const content = views.map(({ View }, key) => h(View, { key }));
  await show(t, inside(it.client, content, { initialState: { x: 0, y: 0 } }));
  await settled();
  const [first, update] = mine.seen[0];
  assert.deepEqual([first, it.sockets.length], [{ x: 0, y: 0 }, 1]);
  update({ x: 1 });
  await settled();
  assert.deepEqual([mine.last[0], too.last[0]], [{ x: 1, y: 0 }, { x: 1, y: 0 }], "without a connection");
  it.socket.welcome();
  await it.pass(100);
  assert.deepEqual(it.socket.messages.at(-1)?.state, { x: 1, y: 0 });
  update({ y: null });
  await it.pass(100);
  assert.deepEqual([mine.last[0], it.socket.messages.at(-1)?.patch], [{ x: 1 }, { y: null }]);
  assert.ok(mine.seen.every(([, one]) => one === update), "the same function");
});

test("usePublish gives a stable function, with options for each message", async (t) => {
  const it = world(t);
  let render: (n: number) => void;
  const { View, seen } = probe(() => {
    const [n, set] = useState(0);
    render = set;
    return { any: usePublish(), one: usePublish("cursor", { echo: n === 0 }) };
  });
  await show(t, inside(it.client, h(View)));
  await settled();
  it.socket.welcome();
  render!(1);
  await settled();
  assert.deepEqual([seen[0].any === seen.at(-1)!.any, seen[0].one === seen.at(-1)!.one], [true, true]);
  void seen[0].one({ x: 1 });
  void seen[0].one({ x: 2 }, { echo: true, to: ["2"] });
  void seen[0].any("chat", "hello", { echo: false });
  const sent = it.socket.messages.map(({ id, ...message }) => message);
  assert.deepEqual(sent, [
    { type: "publish", event: "cursor", data: { x: 1 }, echo: false },
    { type: "publish", event: "cursor", data: { x: 2 }, echo: true, to: ["2"] },
    { type: "publish", event: "chat", data: "hello", echo: false },
  ]);
});

test("useEvent calls the handler of the last render, and subscribes once", async (t) => {
  const it = world(t);
  const heard: unknown[] = [];
  let render: (n: number) => void;
  let subscriptions = 0;
  const View = () => {
    const [n, set] = useState(1);
    render = set;
    const room = useRoom();
    const { on } = room;
    room.on = ((event: string, handler: () => void) => {
      subscriptions++;
      return on(event, handler);
    }) as never;
    useEvent("chat", (data, { user }) => heard.push([n, data, user]));
    return null;
  };
  const page = await show(t, inside(it.client, h(View)));
  await settled();
  it.socket.welcome();
  it.socket.tell(stored(1), stored(2, "no", "other"));
  render!(2);
  await settled();
  it.socket.tell(stored(3));
  assert.deepEqual([heard, subscriptions], [[[1, 1, "bob"], [2, 3, "bob"]], 1]);
  page.show(inside(it.client, null));
  await settled();
  it.socket.tell(stored(4));
  assert.equal(heard.length, 2);
});

test("handlers get the messages of before that history asks for", async (t) => {
  const it = world(t);
  const heard: unknown[] = [];
  const View = () => {
    useEvent("chat", (data) => heard.push(data));
    return null;
  };
  await show(t, h(StrictMode, null, inside(it.client, h(View), { history: 2 })));
  await settled();
  it.socket.welcome({ offset: 2 });
  await settled();
  it.socket.tell(stored(3));
  const asked = it.socket.messages.filter(({ type }) => type === "history");
  assert.deepEqual(asked.map(({ limit, before }) => [limit, before]), [[2, 3]]);
  it.socket.tell({ type: "history", id: asked[0].id, messages: [stored(1), stored(2)], epoch: "e1", more: false });
  await settled();
  assert.deepEqual(heard, [1, 2, 3]);
});

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

test("useLostConnection tells of what lasts, of what came back, and of what was missed", async (t) => {
  const it = world(t);
  const events: ConnectionEvent[] = [];
  const hasty: ConnectionEvent[] = [];
  const View = () => {
    useLostConnection((event) => events.push(event));
    useLostConnection((event) => hasty.push(event), { after: 100 });
    return null;
  };
  const told = () => [events.splice(0), hasty.splice(0)];
  const page = await show(t, inside(it.client, h(View)));
  await settled();
  it.socket.welcome();
  await it.pass(20_000);
  assert.deepEqual(told(), [[], []]);

  it.socket.end();
  await it.pass(300);
  assert.deepEqual(told(), [[], ["lost"]]);
  it.socket.welcome({ recovered: true });
  await it.pass(20_000);
  assert.deepEqual(told(), [[], ["restored"]]);

  it.socket.end();
  await it.pass(4_999);
  assert.deepEqual(told(), [[], ["lost"]]);
  await it.pass(1);
  it.socket.end();
  await it.pass(8_000);
  assert.deepEqual(told(), [["lost"], []], "once, however often it is tried");
  it.socket.welcome({ recovered: true });
  await settled();
  assert.deepEqual(told(), [["restored"], ["restored"]]);

  it.socket.end();
  await it.pass(50);
  it.client.room("lobby").connect();
  it.socket.welcome({ recovered: false, offset: 900 });
  await settled();
  assert.deepEqual(told(), [["missed"], ["missed"]], "also if nobody was told of a loss");

  it.socket.end(4505);
  await it.pass(60_000);
  assert.deepEqual(told(), [["failed"], ["failed"]]);
  it.client.room("lobby").connect();
  await it.pass(7_000);
  it.socket.welcome({ recovered: true });
  await settled();
  assert.deepEqual(told(), [["restored"], ["restored"]]);

  it.socket.end();
  await it.pass(50);
  page.clear();
  await it.pass(400);
  assert.deepEqual(told(), [[], []], "not after it has gone");
});

test("rooms of different contexts can be nested, and each hook finds its own", async (t) => {
  const it = world(t);
  const outer = createRoomContext<{ events: { chat: string } }>();
  const inner = createRoomContext();
  const { View, seen } = probe(() => [useRoom().id, outer.useRoom().id, inner.useRoom().id]);
  const nest = h(inner.RoomProvider, { id: "c" }, h(View));
  const middle = h(outer.RoomProvider, { id: "b" }, nest);
  await show(t, h(RoomfulProvider, { client: it.client }, h(RoomProvider, { id: "a" }, middle)));
  await settled();
  assert.deepEqual([seen[0], it.sockets.length], [["a", "b", "c"], 3]);
});

test("what never comes to be shown connects nothing", async (t) => {
  const it = world(t);
  const Broken = () => {
    useRoom();
    throw new Error("broken on purpose");
  };
  class Boundary extends Component<{ children: ReactNode }> {
    static getDerivedStateFromError = () => ({ broken: true });
    override state = { broken: false };
    override render = () => (this.state.broken ? "broken" : this.props.children);
  }
  const page = await show(t, h(Boundary, null, inside(it.client, h(Broken))));
  await it.pass(1_000);
  assert.deepEqual([page.text, it.sockets.length], ["broken", 0]);
  assert.match(page.complaints.splice(0).join(), /Broken/);
});

test("shallow compares arrays and plain objects one level deep, and everything else by identity", () => {
  const inner = {};
  const equal: [unknown, unknown][] = [
    [1, 1],
    [null, null],
    [[], []],
    [[1, inner], [1, inner]],
    [{ a: inner }, { a: inner }],
  ];
  const different: [unknown, unknown][] = [
    [1, 2],
    [null, undefined],
    [null, {}],
    [{}, []],
    [[1], [1, 2]],
    [[{}], [{}]],
    [{ a: undefined }, { b: undefined }],
    [new Map(), new Map()],
    [new Date(1), new Date(2)],
    [() => {}, () => {}],
  ];
  for (const [a, b] of equal) assert.equal(shallow(a, b), true);
  for (const [a, b] of different) assert.equal(shallow(a, b), false);
});
