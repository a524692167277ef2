// The door `roomful/server` against the built Worker in the real runtime.
import assert from "node:assert/strict";
import { createServer, request as forward } from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import WebSocket from "ws";
import { Roomful, RoomfulError, createAuthHandler, createToken } from "../../src/server.ts";
import type { TokenOptions } from "../../src/server.ts";
import { freshRoom, get, join, open } from "../../../tests/workerd/client.mjs";
import { SECRET, startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";

const OLD = "the old secret of at least 32 bytes";
const SECRETS = `new:${SECRET}, old:${OLD}`;
const server = await startServer(test, {
  vars: { ROOMFUL_SECRETS: SECRETS, ROOMFUL_ISSUER: "shop", ROOMFUL_AUDIENCE: "rooms", GRACE_SECONDS: 1 },
});
const parties = { issuer: "shop", audience: "rooms" };
const roomful = new Roomful({ url: server.url, secret: SECRETS, ...parties });

/** The status and error code of a question about a room, asked with a token. */
async function outcome(options: Partial<TokenOptions>, { room = "lobby", path = "/presence" } = {}) {
  const token = await createToken({ secret: SECRETS, user: "ana", room: "lobby", ...parties, ...options });
  const { status, body } = await get(server, `/room/${room}${path}`, { token });
  return body.error?.code ?? status;
}

/** A WebSocket of a user with a token of ours, after its welcome. */
async function enter(room: string, options: Partial<TokenOptions> = {}) {
  const token = await createToken({ secret: SECRETS, user: "ana", room, ...parties, ...options });
  return join(server, room, { token });
}

const rejectsWith = (code: string) => (error: unknown) => {
  assert.ok(error instanceof RoomfulError, `${error}`);
  assert.deepEqual([error.code, typeof error.hint], [code, "string"]);
  return true;
};

/** All that a room has stored. */
const stored = async (room: string) => (await roomful.history(room, { limit: 500 })).messages.map(({ data }) => data);

/** Hands requests on to the server; `drops` says whether to cut the connection instead of handing the answer back. */
async function proxy(t: TestContext, drops: (count: number) => boolean | Promise<boolean>) {
  let count = 0;
  const between = createServer((asked, answer) => {
    const { method, headers, url } = asked;
    const asking = forward(server.url + url, { method, headers, agent: false }, async (answered) => {
      if (await drops(++count)) answer.destroy();
      else answered.pipe(answer.writeHead(answered.statusCode!, answered.headers));
    });
    asking.on("error", () => answer.destroy());
    asked.pipe(asking);
  });
  t.after(() => {
    between.closeAllConnections();
    between.close();
  });
  await new Promise<void>((listening) => between.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(between.address() as { port: number }).port}`,
    get answers() {
      return count;
    },
  };
}

test("T1: the Worker takes what each of its secrets signed, with kid and without", async () => {
  for (const secret of [SECRETS, `new:${SECRET}`, SECRET, `old:${OLD}`, OLD, `${OLD},${SECRET}`]) {
    assert.equal(await outcome({ secret }), 200, secret);
  }
  assert.equal(await outcome({ secret: `new:${OLD}` }), "invalid_token", "the kid is another secret's");
  assert.equal(await outcome({ secret: `gone:${SECRET}` }), "invalid_token", "no secret has this kid");
  assert.equal(await outcome({ secret: "a secret that the Worker does not know" }), "invalid_token");
});

test("T1: during a rotation tokens of the old secret and of the new one hold", async (t) => {
  const next = "the next secret of at least 32 bytes";
  const rotated = await startServer(t, { vars: { ROOMFUL_SECRETS: `${next},${SECRETS}` } });
  for (const secret of [`${next},${SECRETS}`, SECRETS]) {
    await new Roomful({ url: rotated.url, secret }).presence("lobby");
  }
  const early = new Roomful({ url: server.url, secret: next, ...parties });
  await assert.rejects(early.presence("lobby"), rejectsWith("invalid_token"));
});

test("T2: a token reaches the rooms that it names, and those that begin like an entry with a star", async () => {
  const room = ["lobby", "team-7:*"];
  for (const reached of ["lobby", "team-7:", "team-7:plans"]) {
    assert.equal(await outcome({ room }, { room: reached }), 200, reached);
  }
  for (const other of ["lobby2", "team-8:plans", "team-7"]) {
    assert.equal(await outcome({ room }, { room: other }), "forbidden", other);
  }
  assert.equal(await outcome({ room: "*" }, { room: "any" }), 200);
});

test("T2: a token gives the rights of `can`, or the usual four", async () => {
  const paths = { presence: "/presence", history: "/history", admin: "" };
  for (const [right, path] of Object.entries(paths)) {
    assert.equal(await outcome({ can: [right as "history"] }, { path }), 200);
    assert.equal(await outcome({ can: ["subscribe", "publish"] }, { path }), "forbidden");
    assert.equal(await outcome({ can: [] }, { path }), "forbidden");
    assert.equal(await outcome({}, { path }), right === "admin" ? "forbidden" : 200);
    assert.equal(await outcome({ can: ["admin"] }, { path }), 200);
  }
});

test("T2: a token holds until it ends, five seconds of leeway included", async () => {
  const now = Date.now();
  assert.equal(await outcome({ now: now - 60_000, expiresIn: 59 }), 200);
  assert.equal(await outcome({ now: now - 60_000, expiresIn: 50 }), "token_expired");
});

test("T2: issuer and audience are those of the Worker, or the token is refused", async () => {
  assert.equal(await outcome({ audience: ["others", "rooms"] }), 200);
  for (const wrong of [{ issuer: "other" }, { issuer: undefined }, { audience: "others" }, { audience: undefined }]) {
    assert.equal(await outcome(wrong), "invalid_token", JSON.stringify(wrong));
  }
});

test("N3: the user and the info of a token are what the others see", async () => {
  const room = freshRoom();
  const user = "Ana María 😀";
  const info = { name: "Ána", text: "y".repeat(2_000) };
  const ana = await enter(room, { user, info });
  assert.deepEqual(ana.welcome.user, { id: user, info });
  const { members, occupancy } = await roomful.presence(room);
  assert.deepEqual(members, ana.welcome.members);
  assert.deepEqual(occupancy, { connections: 1, users: 1 });
});

test("the handler's token opens a WebSocket to the asked room and to no other", async () => {
  const POST = createAuthHandler({
    secret: SECRETS,
    ...parties,
    authorize: ({ request, room }) =>
      request.headers.get("cookie") === "user=ana" && room !== "secret"
        ? { user: "ana", info: { name: "Ana" }, can: ["subscribe", "presence"] }
        : null,
  });
  const ask = (room: string, cookie = "user=ana") =>
    POST(
      new Request("https://app.example/api/roomful", {
        method: "POST",
        headers: { "content-type": "application/json", cookie },
        body: JSON.stringify({ room }),
      }),
    );
  const room = freshRoom();
  const { token } = await (await ask(room)).json();
  const address = `${server.url.replace("http", "ws")}/room/${room}`;
  const socket = new WebSocket(address, ["roomful.v1", `roomful.token.${token}`]);
  const welcome = await new Promise<string>((resolve, reject) => {
    socket.once("message", (data: Buffer) => resolve(data.toString()));
    socket.once("error", reject);
  });
  socket.terminate();
  const { user, can } = JSON.parse(welcome);
  assert.deepEqual({ user, can }, { user: { id: "ana", info: { name: "Ana" } }, can: ["subscribe", "presence"] });
  const elsewhere = await open(server, freshRoom(), { token });
  assert.equal((await elsewhere.end()).code, 4501);
  assert.deepEqual([(await ask("secret")).status, (await ask(room, "")).status], [403, 403]);
});

test("H1: published messages arrive, stored, ephemeral, for some and not for others", async () => {
  const room = freshRoom();
  const [ana, bob] = [await enter(room), await enter(room, { user: "bob" })];
  const first = await roomful.publish(room, "chat", { text: "é" });
  assert.deepEqual(first, { offset: 1, epoch: ana.welcome.epoch });
  assert.deepEqual(await roomful.publish(room, "chat", 2, { ephemeral: true }), { epoch: first.epoch });
  assert.deepEqual(await roomful.publish(room, "chat", 3, { to: ["user:bob"] }), { epoch: first.epoch });
  assert.equal((await roomful.publish(room, "chat", 4, { except: [ana.connection] })).offset, 2);
  assert.equal((await roomful.publish(room, "chat", undefined)).offset, 3);
  await ana.find({ offset: 3 });
  await bob.find({ offset: 3 });
  const data = (who: typeof ana) => who.all("message").map((message) => message.data);
  assert.deepEqual(data(ana), [{ text: "é" }, 2, null]);
  assert.deepEqual(data(bob), [{ text: "é" }, 2, 3, 4, null]);
  assert.equal((await ana.find({ offset: 1 })).user, "server");
});

test("H1, M4: a publish whose answer is lost is sent again and counts once", async (t) => {
  const room = freshRoom();
  const between = await proxy(t, (count) => count === 1 || count === 3);
  const far = new Roomful({ url: between.url, secret: SECRETS, ...parties });
  assert.equal((await far.publish(room, "e", "first")).offset, 1);
  assert.equal(between.answers, 2);
  const batch = [
    { room, event: "e", data: "second" },
    { room, event: "e", data: "third" },
  ];
  assert.deepEqual((await far.publishBatch(batch)).map((result) => !result.error && result.offset), [2, 3]);
  assert.equal(between.answers, 4);
  assert.deepEqual(await stored(room), ["first", "second", "third"]);
});

test("H1, M4: an id counts once for a user, whoever sends it", async () => {
  const room = freshRoom();
  const other = new Roomful({ url: server.url, secret: SECRETS, ...parties, user: "another" });
  const offsets = [];
  for (const publisher of [roomful, roomful, other]) {
    offsets.push((await publisher.publish(room, "paid", 7, { id: "order-7" })).offset);
  }
  assert.deepEqual(offsets, [1, 1, 2]);
});

test("M2: an ephemeral publish whose answer is lost is not sent again", async (t) => {
  const room = freshRoom();
  const ana = await enter(room);
  const between = await proxy(t, () => true);
  const far = new Roomful({ url: between.url, secret: SECRETS, ...parties });
  await assert.rejects(far.publish(room, "cursor", 1, { ephemeral: true }), { code: "connection_lost" });
  await roomful.publish(room, "e", "end");
  await ana.find({ data: "end" });
  assert.deepEqual(
    ana.all("message").map((message) => message.data),
    [1, "end"],
  );
});

test("M5, H1: publishes that a killed server had in its hands count once when it is back", async (t) => {
  const own = await startServer(t, { vars: { COMMITS_PER_SECOND: 1_000 } });
  const publisher = new Roomful({ url: own.url, secret: SECRET, retries: 20, timeout: 10_000 });
  const reader = new Roomful({ url: own.url, secret: SECRET });
  const wanted = Array.from({ length: 60 }, (_, index) => index);
  await until(async () => {
    const room = freshRoom();
    let answered = 0;
    let killed: Promise<void> | undefined;
    const all = wanted.map(async (data) => {
      const { offset } = await publisher.publish(room, "e", data);
      answered += 1;
      // With the first answer, at once.
      killed ??= own.kill();
      return offset!;
    });
    await until(() => killed !== undefined, "the first answer");
    await killed;
    const before = answered;
    await own.start();
    const offsets = await Promise.all(all);
    const { messages } = await reader.history(room, { limit: 500 });
    assert.deepEqual(messages.map(({ data }) => data).sort((a, b) => a - b), wanted);
    for (const [data, offset] of offsets.entries()) {
      assert.equal(messages.find((message) => message.offset === offset)?.data, data);
    }
    // A busy machine may have answered all of them by then.
    return before < wanted.length;
  }, "some to be under way");
});

test("H2: in a batch each message has its outcome, in order", async () => {
  const [one, two] = [freshRoom(), freshRoom()];
  const results = await roomful.publishBatch([
    { room: one, event: "e", data: 1 },
    { room: "a/b", event: "e", data: 2 },
    { room: two, event: "roomful:mine", data: 3 },
    { room: two, event: "e", data: 4, ephemeral: true },
    { room: one, event: "e", data: 5 },
  ]);
  assert.deepEqual(
    results.map((result) => (result.error ? result.error.code : result.offset)),
    [1, "invalid_room", "bad_message", undefined, 2],
  );
  const [, refused] = results;
  assert.ok(refused?.error instanceof RoomfulError && !refused.error.retryable);
  await assert.rejects(roomful.publishBatch([]), rejectsWith("bad_message"));
});

test("H3, R6: history comes in pages, in both directions", async () => {
  const room = freshRoom();
  const count = 25;
  await roomful.publishBatch(Array.from({ length: count }, (_, index) => ({ room, event: "e", data: index + 1 })));
  const back = [];
  for (let before: number | undefined, more = true; more; ) {
    const page = await roomful.history(room, { before, limit: 10 } as { limit: number });
    back.unshift(...page.messages.map(({ data }) => data));
    ({ more } = page);
    before = page.messages[0]?.offset;
  }
  const on = [];
  for (let after = 0, more = true; more; ) {
    const page = await roomful.history(room, { after, limit: 10, before: 21 });
    on.push(...page.messages.map(({ data }) => data));
    ({ more } = page);
    after = page.messages.at(-1)!.offset!;
  }
  const all = Array.from({ length: count }, (_, index) => index + 1);
  assert.deepEqual([back, on], [all, all.slice(0, 20)]);
  await assert.rejects(roomful.history(room, { limit: 0 }), rejectsWith("bad_message"));
});

test("H4: a user is disconnected, banned, and let in again", async () => {
  const room = freshRoom();
  const [ana, tab, bob] = [await enter(room), await enter(room), await enter(room, { user: "bob" })];
  assert.deepEqual(await roomful.disconnect(room, { connection: tab.connection, reason: "one tab" }), { closed: 1 });
  assert.deepEqual(await tab.end(), { code: 4505, reason: "one tab" });
  assert.deepEqual(await roomful.disconnect(room, { user: "ana", banSeconds: 600 }), { closed: 1 });
  assert.equal((await ana.end()).code, 4505);
  const token = await createToken({ secret: SECRETS, user: "ana", room, ...parties });
  assert.equal((await (await open(server, room, { token })).end()).code, 4502);
  assert.deepEqual(await roomful.disconnect(room, { user: "ana", banSeconds: 0 }), { closed: 0 });
  await enter(room);
  assert.equal(bob.closed, undefined);
  await assert.rejects(roomful.disconnect(room, {} as never), rejectsWith("bad_message"));
});

test("H5: a deleted room closes everyone and begins anew", async () => {
  const room = freshRoom();
  const ana = await enter(room);
  const { epoch } = await roomful.publish(room, "e", "old");
  assert.equal(await roomful.deleteRoom(room), undefined);
  assert.equal((await ana.end()).code, 4506);
  const fresh = await roomful.publish(room, "e", "new");
  assert.equal(fresh.offset, 1);
  assert.notEqual(fresh.epoch, epoch);
  assert.deepEqual(await stored(room), ["new"]);
});

test("E1: what the server refuses is an error with its code and what to do", async () => {
  const stranger = new Roomful({ url: server.url, secret: "a secret that the Worker does not know", ...parties });
  await assert.rejects(stranger.deleteRoom("lobby"), rejectsWith("invalid_token"));
  const lost = new Roomful({ url: `${server.url}/base`, secret: SECRETS, ...parties });
  await assert.rejects(lost.presence("lobby"), rejectsWith("not_found"));
  await assert.rejects(roomful.publish("lobby", "roomful:mine", 1), rejectsWith("bad_message"));
  await assert.rejects(roomful.publish("lobby", "e", "x".repeat(65_536)), rejectsWith("message_too_large"));
});

test("T2, N1, N3: what createToken does not check, the Worker refuses", async () => {
  const wrong: Record<string, unknown[]> = {
    user: [7, "a\n", "\u009f", "a".repeat(129)],
    room: [{ 0: "lobby" }, ["lobby", undefined], ["lobby", 7]],
    can: [null, "admin", [7]],
    info: [null, 7, "x", [1], { x: "é".repeat(1_024) }],
    expiresIn: [Number.NaN, Number.POSITIVE_INFINITY],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      assert.equal(await outcome({ [name]: value }), "invalid_token", `${name}: ${JSON.stringify(value)}`);
    }
  }
  for (const expiresIn of [0, -10]) assert.equal(await outcome({ expiresIn: expiresIn - 6 }), "token_expired");
  assert.equal(await outcome({ can: ["fly" as never] }), "forbidden");
  assert.equal(await outcome({ room: ["a b", "*a"] }), "forbidden");
});
