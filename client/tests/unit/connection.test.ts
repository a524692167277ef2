// The state machine of a connection: each status, each way from one to another, and what must not happen on it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../src/index.ts";
import type { Room } from "../../src/index.ts";
import { URL, clock, fate, heard, settled, stored, why, world } from "./fake.ts";

test("connecting, connected, reconnecting, connected again, and initial after leaving", async (t) => {
  const it = world(t);
  const room = it.room();
  const statuses = heard(room, "status");
  assert.equal(room.status, "connecting");
  assert.equal(why(room), undefined);
  it.socket.welcome();
  assert.equal(room.status, "connected");
  it.socket.end();
  assert.equal(room.status, "reconnecting");
  assert.equal(why(room), "connection_lost");
  assert.equal(room.error?.retryable, true);
  await it.pass(250);
  assert.equal(it.sockets.length, 2);
  assert.equal(why(room), "connection_lost", "still the reason why");
  it.socket.welcome();
  assert.equal(why(room), undefined);
  room.leave();
  assert.equal(room.status, "initial");
  assert.deepEqual(statuses, ["connected", "reconnecting", "connected", "initial"]);
});

test("a first connection that fails is still connecting", async (t) => {
  const it = world(t);
  const room = it.room();
  const statuses = heard(room, "status");
  for (let failure = 0; failure < 3; failure++) {
    it.socket.end(1006);
    assert.equal(room.status, "connecting");
    assert.equal(why(room), "connection_lost");
    await it.pass(3_000);
  }
  it.socket.welcome();
  assert.deepEqual(statuses, ["connected"]);
});

test("refused for good from connecting, and back by connect()", async (t) => {
  const it = world(t);
  const room = it.room();
  const errors = heard(room, "error");
  it.socket.refuse(4502, { code: "banned" });
  assert.equal(room.status, "disconnected");
  assert.equal(why(room), "banned");
  assert.deepEqual(errors, [room.error]);
  await it.pass(60_000);
  assert.equal(it.sockets.length, 1, "nothing is tried by itself");
  room.connect();
  assert.equal(room.status, "connecting");
  it.socket.welcome();
  assert.equal(room.status, "connected");
  assert.equal(why(room), undefined);
});

test("refused for good from connected and from reconnecting; connect() continues the session", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { offset: 7 });
  it.socket.end(4505, "spam");
  assert.equal(room.status, "disconnected");
  room.connect();
  assert.equal(room.status, "reconnecting");
  assert.equal(it.socket.url.search, "?epoch=e1&offset=7");
  it.socket.refuse(4502, { code: "banned" });
  assert.equal(room.status, "disconnected");
  room.leave();
  assert.equal(room.status, "initial");
  assert.equal(why(room), undefined);
});

test("a refused room is empty, and tells of each who was there but not of itself", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: [{ connection: "1", user: { id: "ana", info: {} }, state: null, at: 1 }] });
  const left = heard(room, "leave");
  it.socket.end(4505);
  assert.deepEqual(left, []);
  assert.deepEqual(room.members, []);
  assert.deepEqual(room.occupancy, { connections: 0, users: 0 });
  assert.equal(room.self, null);
});

test("`enabled: false` opens nothing before connect()", async (t) => {
  const it = world(t, { token: () => assert.fail("no token is needed yet") });
  const room = it.room({ enabled: false });
  await it.pass(60_000);
  assert.equal(room.status, "initial");
  assert.equal(it.sockets.length, 0);
});

test("connect() while there is a socket, or one on its way, opens no second", async (t) => {
  const it = world(t);
  const room = it.room();
  room.connect();
  it.room();
  assert.equal(it.sockets.length, 1);
  it.socket.welcome();
  room.connect();
  it.room();
  await it.pass(1_000);
  assert.equal(it.sockets.length, 1);
});

test("connect() while a token is fetched asks for no second one", async (t) => {
  let asked = 0;
  const it = world(t, { token: () => (asked++, new Promise<string>(() => {})) });
  const room = it.room();
  room.connect();
  room.connect();
  assert.equal(asked, 1);
});

test("connect() tries at once, and the pause before is not waited for as well", async (t) => {
  const it = world(t);
  const room = await it.enter();
  it.socket.end();
  room.connect();
  assert.equal(it.sockets.length, 2);
  it.socket.welcome();
  await it.pass(5_000);
  assert.equal(it.sockets.length, 2);
  assert.equal(room.status, "connected");
});

test("R4: a socket that is given up is closed with another code than 1000, which keeps the place", async (t) => {
  const it = world(t);
  await it.enter();
  await it.pass(25_000 + 10_000);
  assert.equal(it.sockets[0]!.closed, 3000);
});

test("nothing that an earlier socket does late has an effect", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const [first] = it.sockets;
  const { onmessage, onclose, onerror } = first!;
  const messages: unknown[] = [];
  room.onAny((message) => messages.push(message));
  await it.pass(35_500);
  assert.equal(first!.closed, 3000);
  assert.deepEqual([first!.onmessage, first!.onclose], [null, null], "it tells nothing more");
  assert.notEqual(first!.onerror, null, "but an error must have somebody who hears it");
  it.socket.welcome({ session: "new" });
  first!.onerror?.({});
  first!.frame(JSON.stringify(stored(9)));
  first!.end(4502);
  assert.ok(onmessage && onclose && onerror);
  assert.equal(room.status, "connected");
  assert.equal(it.sockets.length, 2);
  assert.deepEqual(messages, []);
});

test("an error of a socket that connects is its end; one of a connected socket is not", async (t) => {
  const it = world(t);
  const room = it.room();
  it.socket.onerror!({});
  assert.equal(it.socket.closed, 3000);
  assert.equal(why(room), "connection_lost");
  await it.pass(250);
  assert.equal(it.sockets.length, 2);
  it.socket.welcome();
  it.socket.onerror!({});
  assert.equal(room.status, "connected");
});

test("C5: types, fields and codes that a client does not know are passed over", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const errors = heard(room, "error");
  it.socket.tell({ type: "weather", sun: true }, { ...stored(1), colour: "red" }, { type: "ack", id: "nobody's" });
  assert.deepEqual(errors, []);
  await it.pass(1_000);
  assert.equal(room.status, "connected");
});

test("an address or a WebSocket that is none stops, and says so", async (t) => {
  clock(t);
  const cases: [url: string, WebSocket: unknown, text: RegExp][] = [
    ["nothing of the kind", class { constructor() { throw new SyntaxError("Invalid URL"); } }, /Invalid URL/],
    [URL, {}, /not a constructor/],
  ];
  for (const [url, WebSocket, text] of cases) {
    t.mock.method(console, "warn", () => {});
    const room: Room = createClient({ url, WebSocket: WebSocket as never }).room("lobby");
    const errors = heard(room, "error");
    await settled();
    assert.equal(room.status, "disconnected");
    assert.equal(why(room), "no_websocket");
    assert.match(room.error!.message, text);
    assert.match(room.error!.hint!, /WebSocket/);
    assert.ok(errors.length <= 1);
    const lost = fate(room.publish("chat", 1));
    await settled();
    assert.equal(lost.is, "no_websocket");
  }
});

test("C1, N1: the address of a room, from any spelling of the Worker's", async (t) => {
  const cases: [url: string | globalThis.URL, room: string, address: string][] = [
    ["https://rooms.example", "lobby", "wss://rooms.example/room/lobby?"],
    ["https://rooms.example/", "team:7", "wss://rooms.example/room/team%3A7?"],
    [new globalThis.URL("http://localhost:8787"), "a~b@c", "ws://localhost:8787/room/a~b%40c?"],
    ["wss://rooms.example/base//", "x", "wss://rooms.example/base/room/x?"],
  ];
  for (const [url, id, address] of cases) {
    const it = world(t, { url });
    it.client.room(id);
    assert.equal(it.socket.url.href, address);
    t.mock.restoreAll();
  }
});

test("T6: on a server without tokens the user stands in the query", async (t) => {
  const it = world(t, { user: "ana & co" });
  const room = it.room();
  assert.equal(it.socket.url.searchParams.get("user"), "ana & co");
  it.socket.welcome({ offset: 3 });
  it.socket.end();
  room.connect();
  assert.equal(it.socket.url.search, "?user=ana%20%26%20co&epoch=e1&offset=3");
  assert.deepEqual(it.socket.protocols, ["roomful.v1", "roomful.session.1.0.secret"]);
});
