// The hooks against the real Worker.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StrictMode, createElement as h, version } from "react";
import type { ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { RoomProvider, RoomfulProvider, useEvent, useLostConnection, useMessages } from "../../src/react.ts";
import { useMyState, useOthers, usePublish, useRoom, useSelf, useStatus, useUsers } from "../../src/react.ts";
import { createClient } from "../../src/index.ts";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { ANONYMOUS, enter, freshRoom, hasten } from "../workerd/person.ts";
import { watchSockets } from "../workerd/sockets.ts";
import { probe, show } from "./page.ts";

const server = await startServer(test, { vars: ANONYMOUS });
hasten(test);

/** An application of one user: a client, and what of its room a component sees. */
function app(user: string, room: string, { limit = 100 } = {}) {
  const sockets = watchSockets();
  const client = createClient({ url: server.url, user, WebSocket: sockets.Class });
  const heard: unknown[] = [];
  const events: string[] = [];
  const use = () => {
    useEvent("chat", (data) => heard.push(data));
    useLostConnection((event) => events.push(event), { after: 20 });
    return {
      status: useStatus(),
      room: useRoom(),
      self: useSelf(),
      users: useUsers().map(({ id }) => id).sort(),
      others: useOthers((others) => others.map((other) => [other.user.id, other.state])),
      mine: useMyState(),
      publish: usePublish("chat"),
      log: useMessages("chat", { limit }),
    };
  };
  const view = probe(use, ({ status }) => status);
  const provider = (children: ReactNode, options: object = {}) =>
    h(RoomfulProvider, { client }, h(RoomProvider, { id: room, initialState: { by: user }, ...options }, children));
  return {
    View: view.View,
    seen: view.seen,
    get last() {
      return view.last;
    },
    sockets,
    heard,
    events,
    provider,
    page: (options?: object) => h(StrictMode, null, provider(h(view.View), options)),
    /** What is shown of the list of messages. */
    get data() {
      return view.last.log.messages.map(({ data }) => data);
    },
    reaches: (status: string) => until(() => view.last.status === status, `${user} to be ${status}`),
    sees: (...users: string[]) =>
      until(
        () => view.last.users.join() === users.join(),
        () => `${users}; ${user} sees ${view.last.users}`,
      ),
    shows: (data: unknown) =>
      until(
        () => view.last.log.messages.at(-1)?.data === data,
        () => `${user} to show ${data}; it is ${JSON.stringify(view.last.log.messages.map((one) => one.data))}`,
      ),
  };
}

/** How many connections the server counts. */
async function connections(room: string): Promise<number> {
  const response = await fetch(`${server.url}/room/${room}`);
  return (await response.json()).occupancy.connections;
}

// The first, while there is no document.
test("what a server rendered is taken over without a mismatch, and connects", async (t) => {
  assert.equal(version.split(".")[0], process.env["REACT"] ?? "19");
  assert.equal(typeof document, "undefined");
  const ana = app("ana", freshRoom());
  const html = renderToString(ana.page());
  assert.equal(html, "<p>initial</p>");
  assert.equal(ana.sockets.all.length, 0);
  const { container } = await show(t, ana.page(), html);
  await ana.reaches("connected");
  await ana.sees("ana");
  assert.equal(container.innerHTML, "<p>connected</p>");
  assert.equal(ana.sockets.all.length, 1);
});

test("StrictMode, two providers and a route change make one connection", async (t) => {
  const room = freshRoom();
  const ana = app("ana", room);
  const pages = (...keys: string[]) =>
    h(StrictMode, null, keys.map((key) => h("div", { key }, ana.provider(h(ana.View)))));
  const page = await show(t, pages("a", "b"));
  await ana.sees("ana");
  assert.equal(await connections(room), 1);
  const bob = await enter(t, server, { user: "bob", room });
  await ana.sees("ana", "bob");
  // From one route to another, which is another component with the same room.
  for (const route of ["c", "d", "e"]) {
    page.show(pages(route));
    await until(() => page.container.firstElementChild?.textContent === "connected", "the route");
  }
  const left = performance.now();
  page.clear();
  await until(() => page.text === "", "an empty page");
  page.show(pages("f"));
  await bob.room.publish("chat", "still here");
  await ana.shows("still here");
  // Half a second is how long a room is held that nobody shows: a busy machine may take longer.
  if (performance.now() - left < 500) assert.equal(ana.sockets.all.length, 1);
  else t.diagnostic("too slow to tell whether the connection was kept");
  assert.equal(await connections(room), 2);
  assert.equal(bob.leaves.length, ana.sockets.all.length - 1);
  page.clear();
  await bob.sees("bob");
  assert.equal(await connections(room), 1);
});

test("another room leaves the one before", async (t) => {
  const [one, two] = [freshRoom(), freshRoom()];
  const ana = app("ana", one);
  const bob = await enter(t, server, { user: "bob", room: one });
  const page = await show(t, ana.page());
  await ana.sees("ana", "bob");
  page.show(ana.page({ id: two }));
  await ana.sees("ana");
  await bob.sees("bob");
  assert.deepEqual([await connections(one), await connections(two)], [1, 1]);
  page.show(ana.page({ id: two, enabled: false }));
  await ana.reaches("initial");
  await until(async () => (await connections(two)) === 0, "the room to be empty");
});

test("two applications see each other, what each shows and what each says", async (t) => {
  const room = freshRoom();
  const [ana, bob] = [app("ana", room), app("bob", room)];
  await show(t, ana.page());
  const other = await show(t, bob.page());
  await ana.sees("ana", "bob");
  await bob.sees("ana", "bob");
  await until(() => JSON.stringify(ana.last.others) === '[["bob",{"by":"bob"}]]', "the state of bob");
  ana.last.mine[1]({ typing: true });
  await until(() => JSON.stringify(bob.last.others) === '[["ana",{"by":"ana","typing":true}]]', "the state of ana");
  assert.deepEqual(ana.last.mine[0], { by: "ana", typing: true });
  await bob.last.publish("hello");
  await ana.shows("hello");
  await bob.shows("hello");
  assert.deepEqual([ana.heard, bob.heard], [["hello"], ["hello"]]);
  other.clear();
  await ana.sees("ana");
});

test("messages of before come page by page, and those that come meanwhile once", async (t) => {
  const room = freshRoom();
  const bob = await enter(t, server, { user: "bob", room });
  const send = (from: number, to: number) =>
    Promise.all(Array.from({ length: to - from }, (_, i) => bob.room.publish("chat", from + i)));
  await send(0, 25);
  const ana = app("ana", room, { limit: 10 });
  const coming = send(25, 30);
  await show(t, ana.page());
  await coming;
  await ana.shows(29);
  await until(() => !ana.last.log.loading, "the first page");
  for (let page = 0; ana.last.log.more; page++) {
    assert.ok(page < 5, "there is an end");
    ana.last.log.loadMore();
    await until(() => !ana.last.log.loading, "a page");
  }
  assert.deepEqual(ana.data, Array.from({ length: 30 }, (_, i) => i));
  // Whatever was shown at any time was in order, without gaps and without doubles.
  for (const { log } of ana.seen) {
    log.messages.forEach(({ data }, i) => assert.equal(data, log.messages[0].data + i));
  }
});

test("a server that is killed and comes back: nobody flickers, nothing is doubled or lost", async (t) => {
  const room = freshRoom();
  const [ana, bob] = [app("ana", room), app("bob", room)];
  await show(t, ana.page());
  await show(t, bob.page());
  await ana.sees("ana", "bob");
  await bob.sees("ana", "bob");
  await ana.last.publish(0);
  await bob.shows(0);
  await until(() => JSON.stringify(ana.last.others) === '[["bob",{"by":"bob"}]]', "the state of bob");
  const from = ana.seen.length;
  ana.events.length = 0;
  await server.kill();
  await ana.reaches("reconnecting");
  const sent = [ana.last.publish(1), ana.last.publish(2)];
  await until(() => ana.events.includes("lost"), "the loss to be told");
  await server.start();
  await Promise.all(sent);
  await ana.shows(2);
  await bob.shows(2);
  await bob.reaches("connected");
  await bob.last.publish(3);
  await ana.shows(3);
  assert.deepEqual([ana.data, bob.data], [[0, 1, 2, 3], [0, 1, 2, 3]]);
  assert.deepEqual([ana.heard, bob.heard], [[0, 1, 2, 3], [0, 1, 2, 3]]);
  assert.deepEqual(ana.events, ["lost", "restored"]);
  for (const { users, others } of ana.seen.slice(from)) {
    assert.deepEqual([users, others], [["ana", "bob"], [["bob", { by: "bob" }]]]);
  }
});

test("a room that is deleted says so, and begins anew when asked to", async (t) => {
  const room = freshRoom();
  const ana = app("ana", room);
  await show(t, ana.page());
  await ana.reaches("connected");
  await ana.last.publish("old");
  await ana.shows("old");
  ana.events.length = 0;
  await fetch(`${server.url}/room/${room}`, { method: "DELETE" });
  await ana.reaches("disconnected");
  assert.equal(ana.last.room.error?.code, "room_deleted");
  await until(() => ana.last.log.error?.code === "room_deleted", "the error");
  assert.deepEqual([ana.data, ana.events], [["old"], ["failed"]]);
  ana.last.room.connect();
  await ana.last.publish("new");
  await until(() => ana.data.join() === "new", () => `the new room's messages; it shows ${ana.data}`);
  assert.deepEqual(ana.events, ["failed", "missed"]);
  assert.equal(ana.last.log.error, undefined);
});
