// Tokens: renewed on the live connection, refused, of another user, with other rights, and from a route of one's own.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { RoomfulError } from "../../src/index.ts";
import { startServer } from "../../../tests/workerd/server.mjs";
import { seconds } from "../../../tests/workerd/token.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { startNetwork } from "./network.ts";
import type { Owner } from "./network.ts";
import { ask, enter, freshRoom, hasten, tokenFor } from "./person.ts";
import { watchSockets } from "./sockets.ts";

const server = await startServer(test);
hasten(test);

/** Gives one token after the other, the last one again and again, and counts. */
function tokens(...given: (() => string | Promise<string>)[]) {
  const source = () => given[Math.min(source.calls++, given.length - 1)]!();
  source.calls = 0;
  return source;
}

/** Gives tokens of the same kind until it is told to give others. */
function stages(...kinds: (() => string)[]) {
  const source = () => kinds[source.stage]!();
  source.stage = 0;
  return source;
}

const good = (claims?: object) => () => tokenFor("ana", claims);
const brief = (claims?: object) => () => tokenFor("ana", { exp: seconds(4), ...claims });
const wrong = () => `${tokenFor("ana")}x`;

/** A route of an application, until the test ends. */
async function route(owner: Owner, answer: (room: string, count: number) => [status: number, body: unknown]) {
  let count = 0;
  const listener = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      assert.deepEqual([request.method, request.headers["content-type"]], ["POST", "application/json"]);
      const [status, reply] = answer(JSON.parse(body).room, ++count);
      response.writeHead(status, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify(reply));
    });
  });
  await new Promise<void>((listening) => listener.listen(0, "127.0.0.1", listening));
  owner.after(() => listener.close());
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}/api/roomful`;
}

describe("tokens", { concurrency: true }, () => {
  test("T5: tokens that end are renewed on the live connection", async (t) => {
    const sockets = watchSockets();
    const token = tokens(brief());
    const room = freshRoom();
    const ana = await enter(t, server, { token, room, WebSocket: sockets.Class });
    const bob = await enter(t, server, { token: () => tokenFor("bob"), room });
    await until(() => token.calls >= 4, "three renewals");
    await ana.room.publish("e", 1);
    await bob.hears(1);
    assert.equal(sockets.all.length, 1);
    assert.deepEqual([ana.statuses, ana.errors, bob.leaves], [["connected"], [], []]);
    // The last one is renewed once it has come.
    await until(() => sockets.sent.filter((text) => text.includes(`"auth"`)).length >= 3, "it to be sent");
  });

  test("T5: a renewal that fails is tried again, and told", async (t) => {
    const sockets = watchSockets();
    const fails = () => Promise.reject(new Error("the network is down"));
    const token = tokens(() => tokenFor("ana", { exp: seconds(10) }), fails, good());
    const ana = await enter(t, server, { token, room: freshRoom(), WebSocket: sockets.Class });
    await until(() => token.calls >= 3, "another try");
    await until(() => sockets.came.some((frame) => frame.includes(`"auth"`)), "the answer");
    assert.deepEqual(ana.errors.map(({ code, retryable }) => [code, retryable]), [["auth_failed", true]]);
    assert.deepEqual([ana.room.status, sockets.all.length], ["connected", 1]);
  });

  test("T5: a new token of another user is refused, and the connection lives as long as the old one", async (t) => {
    const sockets = watchSockets();
    const token = tokens(brief({ exp: seconds(10) }), () => tokenFor("eve"), good());
    const ana = await enter(t, server, { token, room: freshRoom(), WebSocket: sockets.Class });
    await until(() => ana.errors.length, "the refusal");
    assert.deepEqual([ana.errors[0]!.code, ana.room.status, ana.room.self!.user.id], ["unauthorized", "connected", "ana"]);
    await until(() => token.calls >= 3, "another try");
    await until(() => sockets.came.some((frame) => /"auth".*"can"/.test(frame)), "the answer");
    await ana.room.publish("e", 1);
    assert.deepEqual([ana.room.status, sockets.all.length, ana.room.self!.user.id], ["connected", 1, "ana"]);
  });

  test("T5, M7: rights that a new token lacks are gone", async (t) => {
    const room = freshRoom();
    const token = stages(brief(), good({ can: ["subscribe", "presence"] }));
    const ana = await enter(t, server, { token, room });
    const bob = await enter(t, server, { token: () => tokenFor("bob"), room });
    assert.deepEqual(ana.room.can, ["subscribe", "publish", "presence", "history"]);
    await ana.room.publish("e", 1);
    token.stage = 1;
    await until(() => ana.room.can.length === 2, "the new token");
    assert.deepEqual(ana.room.can, ["subscribe", "presence"]);
    await assert.rejects(ana.room.publish("e", 2), { code: "forbidden", retryable: false });
    await bob.room.publish("e", 3);
    await ana.hears(3);
    assert.deepEqual(bob.heard, [1, 3]);
  });

  test("T5: who loses and gains presence is seen leaving and joining, and sees accordingly", async (t) => {
    const room = freshRoom();
    const bob = await enter(t, server, { token: () => tokenFor("bob"), room, state: "here" });
    const token = stages(brief(), brief({ can: ["subscribe"] }), good());
    const ana = await enter(t, server, { token, room, state: { x: 1 } });
    await bob.sees("ana", "bob");
    token.stage = 1;
    await until(() => ana.room.can.length === 1, "the right to be gone");
    await bob.sees("bob");
    await ana.sees();
    token.stage = 2;
    await until(() => ana.room.can.length === 4, "it to be back");
    await Promise.all([bob.sees("ana", "bob"), ana.sees("ana", "bob")]);
    await until(() => bob.stateOf("ana"), "the state");
    assert.deepEqual([bob.stateOf("ana"), ana.stateOf("bob")], [{ x: 1 }, "here"]);
    assert.deepEqual([bob.joins.length, bob.leaves.length], [2, 1]);
  });

  test("T2: a token that ended while there was no connection is refused once, and a fresh one brings back", async (t) => {
    const network = await startNetwork(t, server);
    const token = tokens(good(), () => tokenFor("ana", { exp: seconds(-60) }), good());
    const ana = await enter(t, network, { token, room: freshRoom() });
    const { connection } = ana.room.self!;
    network.cut();
    await until(() => token.calls >= 3, "a fresh token");
    await ana.is("connected");
    assert.deepEqual([ana.room.self!.connection, ana.errors], [connection, []]);
    assert.deepEqual(ana.statuses, ["connected", "reconnecting", "connected"]);
  });

  test("E2: two fresh tokens that are refused in a row are enough", async (t) => {
    const token = tokens(wrong);
    const ana = await ask(t, server, { token, room: freshRoom() }).is("disconnected");
    assert.deepEqual([token.calls, ana.room.error?.code, ana.errors], [2, "invalid_token", [ana.room.error]]);
    assert.ok(ana.room.error instanceof RoomfulError && ana.room.error.hint);
    await assert.rejects(ana.room.publish("e", 1), { code: "invalid_token" });
    const old = await ask(t, server, { token: tokenFor("ana", { exp: seconds(-60) }) }).is("disconnected");
    assert.equal(old.room.error?.code, "token_expired");
    const none = await ask(t, server).is("disconnected");
    assert.equal(none.room.error?.code, "invalid_token");
  });

  test("a connection that was refused can be tried again when there is a better token", async (t) => {
    const token = tokens(wrong, wrong, good());
    const ana = await ask(t, server, { token, room: freshRoom() }).is("disconnected");
    ana.room.connect();
    await ana.is("connected");
    assert.equal(ana.room.error, undefined);
    await ana.room.publish("e", 1);
  });

  test("T2: a token for another room or without a room is forbidden, and not asked for again", async (t) => {
    for (const room of ["elsewhere", undefined]) {
      const token = tokens(good({ room }));
      const ana = await ask(t, server, { token, room: freshRoom() }).is("disconnected");
      assert.deepEqual([ana.room.error?.code, token.calls], ["forbidden", 1]);
    }
  });

  test("R1: who comes back as another user gets another connection, and publishes nothing of the first one's", async (t) => {
    const network = await startNetwork(t, server);
    const room = freshRoom();
    const bob = await enter(t, server, { token: () => tokenFor("bob"), room });
    const ana = await enter(t, network, { token: tokens(good(), () => tokenFor("eve")), room, state: "ana's" });
    await bob.sees("ana", "bob");
    const { connection } = ana.room.self!;
    network.refusing = true;
    network.cut();
    await ana.is("reconnecting");
    const refused = assert.rejects(ana.room.publish("e", "by ana"), { code: "user_changed" });
    network.refusing = false;
    await ana.is("connected");
    await refused;
    assert.equal(ana.room.self!.user.id, "eve");
    assert.notEqual(ana.room.self!.connection, connection);
    await ana.room.publish("e", "by eve");
    await bob.hears("by eve");
    assert.deepEqual(bob.messages.map(({ data, user }) => [data, user]), [["by eve", "eve"]]);
  });

  test("an endpoint of one's own gives tokens, and is asked again when it fails", async (t) => {
    const room = freshRoom();
    const asked: string[] = [];
    const authEndpoint = await route(t, (name, count) => {
      asked.push(name);
      return count < 3 ? [500, {}] : [200, { token: tokenFor("ana", { room: name }) }];
    });
    const ana = await enter(t, server, { authEndpoint, room });
    assert.deepEqual([asked, ana.room.self!.user.id], [[room, room, room], "ana"]);
    assert.deepEqual(ana.errors.map(({ code, retryable }) => [code, retryable]), Array(2).fill(["auth_failed", true]));
  });

  test("an endpoint that refuses ends it", async (t) => {
    for (const status of [401, 403]) {
      let count = 0;
      const authEndpoint = await route(t, (_, asked) => {
        count = asked;
        return [status, {}];
      });
      const ana = await ask(t, server, { authEndpoint, room: freshRoom() }).is("disconnected");
      assert.deepEqual([ana.room.error?.code, ana.room.error?.retryable, count], ["auth_failed", false, 1]);
    }
  });

  test("an endpoint that gives no token, or no JSON, is asked again", async (t) => {
    const authEndpoint = await route(t, (_, count) => [200, [undefined, {}, "no", { token: tokenFor("ana") }][count]]);
    const ana = await enter(t, server, { authEndpoint, room: freshRoom() });
    assert.deepEqual(ana.errors.map(({ code }) => code), ["auth_failed", "auth_failed"]);
  });

  test("a token source stops the client with an error that is not retryable", async (t) => {
    const failure = new RoomfulError("signed_out", "Nobody is signed in.");
    const ana = await ask(t, server, { token: () => Promise.reject(failure) }).is("disconnected");
    assert.equal(ana.room.error, failure);
  });
});
