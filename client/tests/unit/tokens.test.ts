// Where tokens come from, and how a connection gets the next one before the last one ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { RoomfulError } from "../../src/index.ts";
import { fate, heard, settled, why, world } from "./fake.ts";
import type { World } from "./fake.ts";

const HOUR = 3_600_000;

test("T3: the token is a subprotocol, and a new one is asked for before each attempt", async (t) => {
  const asked: unknown[] = [];
  const it = world(t, { token: async (context) => `t${asked.push(context)}` });
  it.room();
  assert.equal(it.sockets.length, 0, "not before there is a token");
  await settled();
  assert.deepEqual(it.socket.protocols, ["roomful.v1", "roomful.token.t1"]);
  it.socket.end();
  assert.deepEqual((await it.next()).protocols, ["roomful.v1", "roomful.token.t2"]);
  it.socket.welcome();
  it.socket.end();
  assert.deepEqual((await it.next()).protocols, ["roomful.v1", "roomful.token.t3", "roomful.session.1.0.secret"]);
  assert.deepEqual(asked, Array(3).fill({ room: "lobby" }));
});

test("a token function may be synchronous, and a token may be a string", async (t) => {
  for (const token of ["t", () => "t"]) {
    const it = world(t, { token });
    it.room();
    await settled();
    assert.equal(it.socket.token, "t");
    t.mock.restoreAll();
  }
});

test("a token that cannot be had is asked for again with growing pauses, and the failure is told", async (t) => {
  const cause = new TypeError("offline");
  let asked = 0;
  const it = world(t, { token: () => (++asked < 4 ? Promise.reject(cause) : "t") });
  const room = it.room();
  const errors = heard(room, "error");
  await it.pass(249);
  assert.equal(asked, 1);
  assert.equal(room.status, "connecting");
  assert.equal(why(room), "auth_failed");
  assert.equal(room.error!.retryable, true);
  assert.equal(room.error!.cause, cause);
  assert.match(room.error!.message, /offline/);
  await it.pass(1);
  assert.equal(asked, 2);
  await it.pass(499);
  assert.equal(asked, 2);
  await it.pass(1);
  assert.equal(asked, 3);
  await it.next();
  assert.equal(it.socket.token, "t");
  assert.equal(errors.length, 3);
  it.socket.welcome();
  assert.equal(why(room), undefined);
});

test("an empty token is no token", async (t) => {
  for (const nothing of ["", undefined, null]) {
    const it = world(t, { token: () => nothing as string });
    const room = it.room();
    await settled();
    assert.equal(why(room), "auth_failed");
    assert.equal(it.sockets.length, 0);
    t.mock.restoreAll();
  }
});

test("a token function that throws at once does no harm", async (t) => {
  const it = world(t, {
    token: () => {
      throw new Error("at once");
    },
  });
  const room = it.room();
  await settled();
  assert.equal(why(room), "auth_failed");
  assert.equal(room.status, "connecting");
});

test("a RoomfulError that is not retryable stops, and one that is does not", async (t) => {
  for (const retryable of [false, true]) {
    const error = new RoomfulError("forbidden", "Not you.", { retryable });
    const it = world(t, { token: () => Promise.reject(error) });
    const room = it.room();
    const errors = heard(room, "error");
    await settled();
    assert.equal(room.status, retryable ? "connecting" : "disconnected");
    assert.equal(room.error, error);
    assert.deepEqual(errors, [error]);
    t.mock.restoreAll();
  }
});

test("a token that does not come in ten seconds is asked for again; if it comes late, nobody takes it", async (t) => {
  const answers: ((token: string) => void)[] = [];
  const it = world(t, { token: () => new Promise<string>((resolve) => answers.push(resolve)) });
  const room = it.room();
  await it.pass(10_000);
  assert.equal(why(room), "connection_lost");
  await it.pass(250);
  assert.equal(answers.length, 2);
  answers[0]!("late");
  await settled();
  assert.equal(it.sockets.length, 0);
  answers[1]!("in time");
  await settled();
  assert.equal(it.socket.token, "in time");
});

test("a token that takes nine seconds leaves the room its ten", async (t) => {
  let answer = (_: string) => {};
  const it = world(t, { token: () => new Promise<string>((resolve) => (answer = resolve)) });
  const room = it.room();
  await it.pass(9_000);
  answer("slow");
  await it.pass(9_999);
  assert.equal(it.sockets.length, 1);
  it.socket.welcome();
  await it.pass(20_000);
  assert.deepEqual([room.status, it.sockets.length], ["connected", 1]);
  it.socket.end();
  await it.pass(250);
  answer("again");
  await it.pass(9_999);
  assert.equal(it.socket.closed, undefined);
  await it.pass(1);
  assert.equal(it.socket.closed, 3000, "but no more");
});

// A route of the application's.

function route(t: TestContext, ...answers: (Response | Error)[]) {
  const requests: [unknown, RequestInit][] = [];
  t.mock.method(globalThis, "fetch", async (url: unknown, init: RequestInit) => {
    requests.push([url, init]);
    const answer = answers[Math.min(requests.length, answers.length) - 1]!;
    if (answer instanceof Error) throw answer;
    return answer.clone();
  });
  return requests;
}

test("authEndpoint is asked with the room as JSON", async (t) => {
  const requests = route(t, Response.json({ token: "t" }));
  const it = world(t, { authEndpoint: "/api/roomful" });
  it.room();
  await settled();
  assert.equal(it.socket.token, "t");
  const [[url, { method, headers, body }]] = requests as [[string, RequestInit]];
  assert.deepEqual([url, method, JSON.parse(body as string)], ["/api/roomful", "POST", { room: "lobby" }]);
  assert.equal(new Headers(headers).get("content-type"), "application/json");
});

test("authEndpoint that answers 400, 401 or 403 stops, any other refusal does not", async (t) => {
  for (const status of [401, 403, 400, 404, 429, 500, 503]) {
    const requests = route(t, Response.json({ error: {} }, { status }));
    const it = world(t, { authEndpoint: new URL("https://app.example/auth") });
    const room = it.room();
    await settled();
    const final = [400, 401, 403].includes(status);
    assert.equal(room.status, final ? "disconnected" : "connecting", `${status}`);
    assert.equal(why(room), "auth_failed");
    assert.equal(room.error!.retryable, !final);
    assert.match(room.error!.message, new RegExp(`app.example/auth.*${status}`));
    await it.pass(60_000);
    assert.equal(requests.length > 3, !final);
    assert.equal(it.sockets.length, 0);
    t.mock.restoreAll();
  }
});

test("authEndpoint that fails, or whose answer is no token, is asked again", async (t) => {
  for (const odd of [new TypeError("fetch failed"), new Response("<html>"), Response.json({}), Response.json(null)]) {
    const requests = route(t, odd, Response.json({ token: "t" }));
    const it = world(t, { authEndpoint: "/auth" });
    const room = it.room();
    await settled();
    assert.equal(why(room), "auth_failed");
    await it.next();
    assert.equal(requests.length, 2);
    assert.equal(it.socket.token, "t");
    t.mock.restoreAll();
  }
});

// Renewal.

/** A connection whose token ends in an hour, and that needs no pings; `asked` counts tokens. */
async function renewing(
  t: TestContext,
  expires_in = HOUR,
  random = () => 0.5,
  ask = (n: number): string | Promise<string> => `t${n}`,
) {
  const count = { asked: 0 };
  const it = world(t, { token: () => ask(++count.asked) }, random);
  const room = await it.enter({}, { expires_in, ping: 10 * HOUR });
  return { it, room, count };
}

const auths = (it: World) => it.socket.messages.filter(({ type }) => type === "auth");

test("T5: the next token goes out between 70 and 90 % of the life of the last, spread by chance", async (t) => {
  for (const [chance, share] of [[0, 0.7], [0.5, 0.8], [0.999999, 0.9]] as const) {
    const { it, count } = await renewing(t, HOUR, () => chance);
    await it.pass(share * HOUR - 10);
    assert.equal(count.asked, 1);
    await it.pass(10);
    assert.equal(count.asked, 2);
    assert.deepEqual(auths(it), [{ type: "auth", id: "auth", token: "t2" }]);
    assert.equal(it.sockets.length, 1);
    t.mock.restoreAll();
  }
});

test("T5: the answer says when the one after it is due, and what it allows", async (t) => {
  const { it, room, count } = await renewing(t, 10_000);
  await it.pass(8_000);
  it.socket.tell({ type: "auth", expires_in: 20_000, can: ["subscribe", "presence"] });
  assert.deepEqual(room.can, ["subscribe", "presence"]);
  await it.pass(15_999);
  assert.equal(count.asked, 2);
  await it.pass(1);
  assert.equal(count.asked, 3);
});

test("T5: a token that is refused, or cannot be had, is tried again in the time that is left", async (t) => {
  for (const refused of [true, false]) {
    const ask = (n: number) => (n > 1 && !refused ? Promise.reject(new Error("no")) : `t${n}`);
    const { it, room, count } = await renewing(t, 20_000, () => 0.5, ask);
    const errors = heard(room, "error");
    const answer = () => {
      if (refused) it.socket.tell({ type: "error", id: "auth", code: "unauthorized", message: "No.", retryable: false });
    };
    await it.pass(16_000);
    assert.equal(count.asked, 2);
    answer();
    assert.deepEqual(errors.map(({ code }) => code), [refused ? "unauthorized" : "auth_failed"]);
    await it.pass(3_199);
    assert.equal(count.asked, 2);
    await it.pass(1);
    assert.equal(count.asked, 3);
    answer();
    // Less than a second is left: no more of this.
    await it.pass(5_000);
    assert.equal(count.asked, 3);
    assert.equal(room.status, "connected");
    it.socket.end(4001);
    await it.pass(0);
    assert.equal(room.status, "reconnecting");
    t.mock.restoreAll();
  }
});

test("T5: a renewal that fails while the room is left is the end of it", async (t) => {
  const { it, room, count } = await renewing(t, 20_000, () => 0.5, (n) => (n > 1 ? Promise.reject(new Error("no")) : "t"));
  room.watch("error", () => room.leave());
  await it.pass(60_000);
  assert.equal(count.asked, 2);
  assert.equal(it.timers, 0);
});

test("T5: a token that comes after its connection is gone is not sent", async (t) => {
  let answer = (_: string) => {};
  const { it, room } = await renewing(t, 20_000, () => 0.5, (n) =>
    n === 2 ? new Promise<string>((resolve) => (answer = resolve)) : `t${n}`,
  );
  await it.pass(16_000);
  it.socket.end();
  await it.next();
  it.socket.welcome({ expires_in: null });
  answer("late");
  await settled();
  assert.deepEqual(auths(it), []);
  assert.equal(room.status, "connected");
});

test("T5: no token is renewed whose life is unknown, or that is a string, or where none is needed", async (t) => {
  const cases = [
    [{ token: () => "t" }, null],
    [{ token: "t" }, 10_000],
    [{}, null],
    // A proxy in between may have added one.
    [{}, 10_000],
  ] as const;
  for (const [options, expires_in] of cases) {
    const it = world(t, options);
    const room = await it.enter({}, { expires_in });
    await it.pass(20_000);
    assert.deepEqual(auths(it), []);
    assert.equal(room.status, "connected");
    t.mock.restoreAll();
  }
});

test("T5: a token that lives for years is not renewed at once, over and over", async (t) => {
  const { it, count } = await renewing(t, 10 * 365 * 24 * HOUR);
  await it.pass(9 * HOUR);
  assert.equal(count.asked, 1);
});

test("a publish waits for the first token", async (t) => {
  let answer = (_: string) => {};
  const it = world(t, { token: () => new Promise<string>((resolve) => (answer = resolve)) });
  const sent = fate(it.room().publish("chat", 1));
  await settled();
  assert.equal(sent.is, "pending");
  answer("t");
  await settled();
  it.socket.welcome();
  it.socket.ack("1");
  await settled();
  assert.notEqual(sent.is, "pending");
});
