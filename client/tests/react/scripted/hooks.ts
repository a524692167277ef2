// The hooks that show who is here, and those that send and hear.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StrictMode, createElement as h, memo, useState } from "react";
import { useEvent, useMyState, useOther, useOthers, usePublish, useRoom, useSelf, useUsers } from "../../../src/react.ts";
import { shallow } from "../../../src/react/shallow.ts";
import { OWN, member, settled, stored, world } from "../../unit/fake.ts";
import { probe, show } from "../page.ts";
import { inside, bob, eve } from "./scene.ts";

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
