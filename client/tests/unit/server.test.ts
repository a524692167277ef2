// What `Roomful` of `roomful/server` asks a Worker, and with which token: without one.
import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { Roomful } from "../../src/server.ts";
import type { RoomfulError } from "../../src/server.ts";
import { SECRET, client, failsWith, json, part, published, serve, signedWith } from "./door.ts";

test("H1: a publish is sent as JSON with an id of its own, and with an administrator's token for this room and minute", async (t) => {
  const { url, bodies, requests } = await serve(t, (_, response) => published(response));
  const roomful = client(url, { user: "shop" });
  assert.deepEqual(await roomful.publish("team:7", "order", { n: 7 }), { offset: 1, epoch: "e" });
  await roomful.publish("team:7", "order", undefined, { id: "o-7", except: ["1"] });
  const [first, second] = bodies.map((body) => JSON.parse(body));
  assert.match(first.id, /^[\w-]{36}$/);
  assert.deepEqual({ ...first, id: "" }, { event: "order", data: { n: 7 }, id: "" });
  assert.deepEqual(second, { event: "order", id: "o-7", except: ["1"] });
  const [{ url: path, method, headers }] = requests as [IncomingMessage];
  assert.deepEqual([path, method, headers["content-type"]], ["/room/team:7/publish", "POST", "application/json"]);
  for (const { headers: { authorization } } of requests) {
    assert.ok(authorization!.startsWith("Bearer ") && signedWith(authorization!.slice(7), SECRET));
    const { exp, ...claims } = part(authorization!, 1);
    assert.deepEqual(claims, { sub: "shop", room: "team:7", can: ["admin"] });
    assert.ok(Math.abs(exp - Date.now() / 1_000 - 60) < 5);
  }
});

test("T2: what is asked goes with a token for the room that it takes, and no other", async (t) => {
  const { url, requests } = await serve(t, (_, response) => json(response, 200, { results: [], members: [] }));
  const roomful = client(url);
  await roomful.presence("a");
  await roomful.history("b", { limit: 5, before: undefined as never });
  await roomful.disconnect("c", { user: "ana" });
  await roomful.deleteRoom("d");
  await roomful.publishBatch([{ room: "e", event: "e", data: 1 }]);
  const tokens = requests.map(({ method, url: path, headers: { authorization } }) => {
    const { room, can, exp } = part(authorization!, 1);
    assert.ok(exp - Date.now() / 1_000 < 65);
    return [method, path!.replace(/\?$/, ""), room, ...can];
  });
  assert.deepEqual(tokens, [
    ["GET", "/room/a/presence", "a", "admin"],
    ["GET", "/room/b/history?limit=5", "b", "admin"],
    ["POST", "/room/c/disconnect", "c", "admin"],
    ["DELETE", "/room/d", "d", "admin"],
    // A list of a hundred rooms may be more than a token holds.
    ["POST", "/publish", "*", "admin"],
  ]);
});

test("addresses may have another scheme, a path and a slash at the end", async () => {

  const asked: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    return Response.json({});
  };
  const urls = ["https://a.example", "wss://a.example/", "ws://a.example:8787/base//", new URL("http://a.example")];
  for (const url of urls) {
    await client(url as string, { fetch }).presence("lobby");
  }
  assert.deepEqual(asked, [
    "https://a.example/room/lobby/presence?",
    "https://a.example/room/lobby/presence?",
    "http://a.example:8787/base/room/lobby/presence?",
    "http://a.example/room/lobby/presence?",
  ]);
  for (const url of [undefined, "", "a.example", "localhost:8787"]) {
    await assert.rejects(client(url as string, { fetch }).presence("lobby"), failsWith("invalid_argument", /`url`/));
  }
  assert.equal(asked.length, 4);
});

test("N1: a name that is none is refused before anything is sent", async (t) => {
  const { url, bodies } = await serve(t, (_, response) => published(response));
  const roomful = client(url);
  for (const room of ["", ".", "..", "a/b", "a b", "*", "r".repeat(129), undefined as never]) {
    await assert.rejects(roomful.publish(room, "e", 1), failsWith("invalid_room"));
    await assert.rejects(roomful.deleteRoom(room), failsWith("invalid_room"));
    await assert.rejects(roomful.history(room), failsWith("invalid_room"));
  }
  assert.equal(bodies.length, 0);
});

test("T1: without a secret or a user nothing is sent", async (t) => {
  const { url, bodies } = await serve(t, (_, response) => published(response));
  await assert.rejects(new Roomful({ url } as never).publish("lobby", "e", 1), failsWith("invalid_argument", /secret/));
  await assert.rejects(client(url, { user: "" }).publish("lobby", "e", 1), failsWith("invalid_argument", /user/));
  assert.equal((await client(url, { user: undefined }).publish("lobby", "e", 1)).offset, 1);
  assert.equal(bodies.length, 1);
});

test("an answer that is not Roomful's tells its status", async (t) => {
  const answers: [status: number, body: string][] = [
    [200, "<!doctype html><title>My app</title>"],
    [404, "<h1>Not found</h1>"],
    [404, '{"error":"Not found"}'],
    [401, '{"message":"Who are you?"}'],
    [308, ""],
  ];
  const { url, bodies } = await serve(t, (_, response, count) => {
    const [status, body] = answers[count - 1]!;
    response.writeHead(status, status === 308 ? { location: "https://elsewhere.example/" } : {}).end(body);
  });
  for (const [status] of answers) {
    await assert.rejects(client(url).presence("lobby"), (error: RoomfulError) => {
      assert.deepEqual([error.retryable, typeof error.hint], [false, "string"]);
      return failsWith("bad_response", new RegExp(`${status}`))(error);
    });
  }
  assert.equal(bodies.length, answers.length, "none is tried again, and no redirect is followed");
});

test("H2: an answer to a batch that has no results is not Roomful's", async () => {
  for (const answer of [{}, { results: 7 }, { results: null }, "results", 7]) {
    const fetch = async () => Response.json(answer);
    const batch = client("https://a.example", { fetch }).publishBatch([{ room: "a", event: "e", data: 1 }]);
    await assert.rejects(batch, failsWith("bad_response"));
  }
});

test("data that has no JSON is a TypeError", async () => {
  const fetch = () => assert.fail("nothing is sent");
  await assert.rejects(client("https://a.example", { fetch }).publish("lobby", "e", { n: 1n }), TypeError);
});
