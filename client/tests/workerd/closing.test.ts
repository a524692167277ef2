// Connections that the server ends or refuses, and servers that are none.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import WebSocket, { WebSocketServer } from "ws";
import { join, request } from "../../../tests/workerd/client.mjs";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { ANONYMOUS, ask, enter, freshRoom, hasten } from "./person.ts";
import type { WebSocketConstructor } from "../../src/index.ts";
import type { Owner } from "./network.ts";
import type { Person } from "./person.ts";
import { watchSockets } from "./sockets.ts";

const server = await startServer(test, { vars: ANONYMOUS });
const tiny = await startServer(test, { vars: { ...ANONYMOUS, MAX_CONNECTIONS: 1 } });
hasten(test);

const post = (room: string, action: string, body: object) =>
  request(server, "POST", `/room/${room}/${action}?user=admin`, { body, token: null });

/** Ana was closed for good, with this error, which she is told once, if she was there to hear it. */
async function ended(ana: Person, code: string, told = 1) {
  await ana.is("disconnected");
  const { error, members, self } = ana.room;
  assert.deepEqual([error?.code, error?.retryable, members, self], [code, false, [], null]);
  assert.equal(ana.errors.filter((heard) => heard === error).length, told);
  await assert.rejects(ana.room.publish("e", 1), { code });
  await assert.rejects(ana.room.history(), { code });
}

/**
 * Somebody who has said something: workerd (of 2026-11) keeps the connection of others open for 10 s after it has
 * closed it.
 */
async function present(t: Owner, room: string, WebSocket?: WebSocketConstructor) {
  const ana = await enter(t, server, { user: "ana", room, ...(WebSocket && { WebSocket }) });
  await ana.room.publish("e", 0);
  return ana;
}

describe("closing", { concurrency: true }, () => {
  test("H4: who is removed stops, and may come back", async (t) => {
    const sockets = watchSockets();
    const room = freshRoom();
    const ana = await present(t, room, sockets.Class);
    const bob = await enter(t, server, { user: "bob", room });
    await bob.sees("ana", "bob");
    await post(room, "disconnect", { user: "ana", reason: "that will do" });
    await ended(ana, "removed");
    assert.equal(ana.room.error?.message, "that will do");
    await bob.sees("bob");
    assert.equal(sockets.all.length, 1);
    ana.room.connect();
    await bob.sees("ana", "bob");
    await ana.room.publish("e", 1);
    await ana.hears(1);
  });

  test("H4: who is banned is refused, until that ends", async (t) => {
    const room = freshRoom();
    const ana = await present(t, room);
    await post(room, "disconnect", { user: "ana", ban_seconds: 600 });
    await ended(ana, "removed");
    ana.room.connect();
    await until(() => ana.room.error?.code === "banned", "the refusal");
    await ended(ana, "banned");
    await post(room, "disconnect", { user: "ana", ban_seconds: 0 });
    ana.room.connect();
    await ana.is("connected");
    assert.equal(ana.room.error, undefined);
  });

  test("H5: who is in a room that is deleted stops, and publishes that wait for an ack fail", async (t) => {
    const sockets = watchSockets();
    const room = freshRoom();
    const ana = await present(t, room, sockets.Class);
    sockets.loses = (frame) => frame.includes(`"type":"ack"`);
    const waiting = assert.rejects(ana.room.publish("e", 1), { code: "room_deleted" });
    await until(() => sockets.came.some((frame) => frame.includes(`"ack"`)), "the ack");
    await request(server, "DELETE", `/room/${room}?user=admin`, { token: null });
    await ended(ana, "room_deleted");
    await waiting;
  });

  test("R1: whose session another socket takes over stops", async (t) => {
    const sockets = watchSockets();
    const room = freshRoom();
    let welcome: { epoch: string; session: string; offset: number };
    sockets.loses = (frame) => {
      if (frame.includes(`"welcome"`)) welcome = JSON.parse(frame);
      return false;
    };
    const ana = await present(t, room, sockets.Class);
    const { connection } = ana.room.self!;
    const { epoch, session, offset } = welcome!;
    const other = await join(server, room, { token: null, query: { user: "ana" }, resume: { epoch, session, offset } });
    t.after(() => other.socket.terminate());
    await ended(ana, "replaced");
    assert.equal(other.connection, connection);
  });

  test("E2, E3: who finds the room full tries again slowly, and gets in when there is a place", async (t) => {
    const room = freshRoom();
    const bob = await enter(t, tiny, { user: "bob", room });
    const ana = ask(t, tiny, { user: "ana", room });
    const waiting = ana.room.publish("e", "patient");
    await until(() => ana.room.error?.code === "room_full", "the refusal");
    assert.deepEqual([ana.room.status, ana.room.error!.retryable], ["connecting", true]);
    const begin = performance.now();
    bob.room.leave();
    await ana.is("connected");
    assert.ok(performance.now() - begin > 5_000, "some ten seconds after the refusal");
    await waiting;
    await ana.hears("patient");
  });

  test("E2: who finds the room full can try at once", async (t) => {
    const room = freshRoom();
    const bob = await enter(t, tiny, { user: "bob", room });
    const ana = ask(t, tiny, { user: "ana", room });
    await until(() => ana.room.error?.code === "room_full", "the refusal");
    bob.room.leave();
    await until(async () => {
      const { body } = await request(tiny, "GET", `/room/${room}/presence?user=admin`, { token: null });
      return body.occupancy.connections === 0;
    }, "the room to be empty");
    const begin = performance.now();
    ana.room.connect();
    await ana.is("connected");
    assert.ok(performance.now() - begin < 8_000, "before it tries by itself");
  });

  test("N1: a room's name that is not allowed ends it", async (t) => {
    for (const room of ["a/b", "ä", "x".repeat(129)]) {
      await ended(ask(t, server, { user: "ana", room }), "invalid_room");
    }
    const ana = await enter(t, server, { user: "ana", room: "team-7:plans~@x.y" });
    assert.equal(ana.room.id, "team-7:plans~@x.y");
  });

  test("T6: a server that is not configured yet is tried again, and says why", async (t) => {
    const bare = await startServer(t, { vars: { ROOMFUL_SECRETS: undefined } });
    const ana = ask(t, bare, { user: "ana", room: freshRoom() });
    await until(() => ana.room.error?.code === "not_configured", "the reason");
    assert.equal(ana.room.status, "connecting");
  });

  test("an address that is none ends it, with a hint", async (t) => {
    for (const url of ["nonsense", "ftp://x"]) {
      for (const Class of [undefined, WebSocket]) {
        const ana = ask(t, { url }, { user: "ana", ...(Class && { WebSocket: Class }) });
        await ended(ana, "no_websocket", 0);
        assert.match(ana.room.error!.hint!, /url/);
      }
    }
  });

  test("the address may end in a slash, be a URL, and have ws for http", async (t) => {
    for (const url of [`${server.url}/`, new URL(server.url), server.url.replace("http", "ws")]) {
      await enter(t, server, { url, user: "ana", room: freshRoom() });
    }
    await ended(ask(t, server, { url: `${server.url}/base`, user: "ana" }), "not_found");
  });

  test("an HTTP server that is no Worker is tried again, without end", async (t) => {
    let count = 0;
    const other = createServer((_, response) => {
      count++;
      response.writeHead(404).end("not here");
    });
    await new Promise<void>((listening) => other.listen(0, "127.0.0.1", listening));
    t.after(() => other.close());
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    for (const Class of [undefined, WebSocket]) {
      count = 0;
      const ana = ask(t, { url }, { user: "ana", ...(Class && { WebSocket: Class }) });
      await until(() => count >= 4, "three more attempts");
      assert.deepEqual([ana.room.status, ana.room.error?.code, ana.statuses], ["connecting", "connection_lost", []]);
      ana.room.leave();
    }
  });

  test("a WebSocket server that is no Worker does no harm", async (t) => {
    const thrown: unknown[] = [];
    const catcher = (error: unknown) => thrown.push(error);
    process.on("uncaughtException", catcher);
    t.after(() => process.off("uncaughtException", catcher));
    let count = 0;
    const says = ["hello", "{}", "[1,null]", Buffer.from([1, 2])];
    const other = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "roomful.v1" });
    t.after(() => other.close());
    other.on("connection", (socket) => {
      socket.send(says[count++ % says.length]!);
      socket.close(1011);
    });
    await new Promise((listening) => other.once("listening", listening));
    const ana = ask(t, { url: `http://127.0.0.1:${(other.address() as AddressInfo).port}` }, { user: "ana" });
    await until(() => count >= 5, "more attempts");
    assert.equal(ana.room.status, "connecting");
    assert.deepEqual(thrown, []);
  });

  test("a server that does not run yet is found when it does", async (t) => {
    const late = await startServer(t, { vars: ANONYMOUS });
    await late.kill();
    const ana = ask(t, late, { user: "ana", room: freshRoom(), state: { x: 1 } });
    const waiting = ana.room.publish("e", "early");
    await until(() => ana.room.error?.code === "connection_lost", "a failure");
    assert.equal(ana.room.status, "connecting");
    await late.start();
    await ana.is("connected");
    await waiting;
    await ana.hears("early");
    assert.deepEqual(ana.room.members.map(({ state }) => state), [{ x: 1 }]);
  });
});
