// Providers: which rooms are entered, when, and with how many sockets.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Component, StrictMode, createElement as h, useEffect, version } from "react";
import type { ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { RoomfulError } from "../../../src/index.ts";
import * as door from "../../../src/react.ts";
import { RoomProvider, RoomfulProvider, createRoomContext, useEvent, useLostConnection, useMessages, useMyState, useOther, useOthers, usePublish, useRoom, useSelf, useStatus, useUsers } from "../../../src/react.ts";
import { FakeSocket, OWN, URL, settled, stored, world } from "../../unit/fake.ts";
import { probe, show } from "../page.ts";
import { inside, bob } from "./scene.ts";

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

test("with another key a RoomfulProvider is another user's: nothing of the one before goes on", async (t) => {
  const it = world(t);
  const sockets: FakeSocket[] = [];
  const Socket = class extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  };
  const { View, seen } = probe(() => [useStatus(), useSelf()?.user.id ?? null, useMessages().messages.length, useMyState()[0]]);
  const page = (user: string) =>
    h(RoomfulProvider, { key: user, url: URL, WebSocket: Socket, user }, h(RoomProvider, { id: "lobby" }, h(View)));
  const { show: render } = await show(t, page("ana"));
  await settled();
  sockets[0].welcome({ offset: 1, members: [{ ...OWN, state: null }] });
  await settled();
  sockets[0].tell({ type: "history", id: "1", messages: [stored(1)], epoch: "e1", more: false });
  await settled();
  assert.deepEqual(seen.at(-1), ["connected", "ana", 1, null]);
  render(page("bob"));
  await settled();
  assert.deepEqual(seen.at(-1), ["connecting", null, 0, null]);
  assert.deepEqual([sockets.length, sockets[1].url.search], [2, "?user=bob&"], "and with no session of hers");
  await it.pass(500);
  assert.deepEqual(sockets.map(({ closed }) => closed), [1000, undefined]);
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
