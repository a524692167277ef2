// What `Roomful` sends again, when, and what it does not: against servers that misbehave.
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import type { RoomfulError } from "../../src/server.ts";
import { client, failsWith, json, noBackoff, part, published, refusal, serve } from "./door.ts";

test("T2: each try has a fresh token, so that none ends while the server is waited for", async (t) => {
  noBackoff(t);
  t.mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 });
  const { url, requests } = await serve(t, (_, response, count) => {
    t.mock.timers.tick(50_000);
    if (count < 3) json(response, 503, refusal("room_busy", true));
    else published(response);
  });
  await client(url).publish("a", "e", 1);
  const ends = requests.map(({ headers: { authorization } }) => part(authorization!, 1).exp - 1_800_000_000);
  assert.deepEqual(ends, [60, 110, 160]);
});

test("H1: what fails is sent again with the same id", async (t) => {
  const failures: ((response: ServerResponse) => void)[] = [
    (response) => response.destroy(),
    (response) => json(response, 503, refusal("room_busy", true)),
    (response) => response.writeHead(502, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>"),
    (response) => json(response, 429, refusal("rate_limited", true, { retry_after: 1 })),
    (response) => {
      // It breaks in the middle of the answer.
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"offset":1', () => response.destroy());
    },
  ];
  noBackoff(t);
  const { url, bodies } = await serve(t, (_, response, count) => (failures[count - 1] ?? published)(response));
  const roomful = client(url, { retries: failures.length, timeout: 5_000 });
  assert.equal((await roomful.publish("lobby", "e", 1)).offset, 1);
  assert.equal(bodies.length, failures.length + 1);
  assert.equal(new Set(bodies).size, 1);
});

test("a server that hangs is given up, and asked again", async (t) => {
  const { url, bodies } = await serve(t, (_, response, count) => {
    if (count === 2) {
      response.writeHead(200);
      response.write('{"off');
    }
    if (count === 3) published(response);
  });
  assert.equal((await client(url, { timeout: 100 }).publish("lobby", "e", 1)).offset, 1);
  assert.equal(bodies.length, 3);
});

test("tries end: the last error is told, with its cause", async (t) => {
  const hangs = await serve(t, () => {});
  // Counted here: on a busy machine a try may end before the server has heard of it.
  let tries = 0;
  const send: typeof fetch = (...request) => (tries++, fetch(...request));
  const options = { timeout: 30, retries: 1, fetch: send };
  await assert.rejects(client(hangs.url, options).presence("lobby"), (error: RoomfulError) => {
    assert.deepEqual([error.retryable, (error.cause as Error).name], [true, "TimeoutError"]);
    return failsWith("timeout")(error);
  });
  assert.equal(tries, 2);
  const resets = await serve(t, (_, response) => response.destroy());
  await assert.rejects(client(resets.url, { retries: 0 }).presence("lobby"), (error: RoomfulError) => {
    assert.ok(error.retryable && error.cause instanceof Error);
    return failsWith("connection_lost")(error);
  });
  assert.equal(resets.bodies.length, 1);
});

test("M2, M3, H2, H5: what could happen twice is never sent again", async (t) => {
  const { url, bodies } = await serve(t, (_, response) => response.destroy());
  const roomful = client(url);
  const stored = { room: "lobby", event: "e", data: 1 };
  const once: (() => Promise<unknown>)[] = [
    () => roomful.publish("lobby", "e", 1, { ephemeral: true, id: "x" }),
    () => roomful.publish("lobby", "e", 1, { to: [] }),
    () => roomful.publishBatch([stored, { ...stored, ephemeral: true }]),
    () => roomful.deleteRoom("lobby"),
  ];
  for (const [index, request] of once.entries()) {
    await assert.rejects(request(), failsWith("connection_lost"));
    assert.equal(bodies.length, index + 1);
  }
});

test("H2, H3, H4: what may happen twice is sent again", async (t) => {
  noBackoff(t);
  const { url, requests } = await serve(t, (request, response, count) => {
    if (count % 2) response.destroy();
    else json(response, 200, request.url === "/publish" ? { results: [{ offset: 1, epoch: "e" }] } : { history: {} });
  });
  const roomful = client(url);
  await roomful.publishBatch([{ room: "lobby", event: "e", data: 1 }]);
  await roomful.presence("lobby");
  await roomful.history("lobby");
  await roomful.disconnect("lobby", { user: "bob" });
  assert.equal(requests.length, 8);
});

test("E1: an error that is not retryable comes at once, with all that the server says", async (t) => {
  const { url, bodies } = await serve(t, (_, response) =>
    json(response, 403, refusal("forbidden", false, { hint: "Mint another.", retry_after: 20 })),
  );
  await assert.rejects(client(url).publish("lobby", "e", 1), (error: RoomfulError) => {
    const { message, retryable, hint, retryAfter } = error;
    assert.deepEqual({ message, retryable, hint, retryAfter }, {
      message: "No.",
      retryable: false,
      hint: "Mint another.",
      retryAfter: 20,
    });
    return failsWith("forbidden")(error);
  });
  assert.equal(bodies.length, 1);
});

test("Retry-After is waited for, but not above the timeout", async (t) => {
  const at: number[] = [];
  const { url } = await serve(t, (_, response, count) => {
    at.push(performance.now());
    if (count > 1) published(response);
    else response.writeHead(503, { "retry-after": "1" }).end("busy");
  });
  await client(url).publish("lobby", "e", 1);
  assert.ok(at[1]! - at[0]! >= 990, `${at}`);
  const long = await serve(t, (_, response) => response.writeHead(429, { "retry-after": "11" }).end());
  await assert.rejects(client(long.url).publish("lobby", "e", 1), (error: RoomfulError) => {
    assert.deepEqual([error.retryable, error.retryAfter], [true, 11_000]);
    return failsWith("bad_response", /429/)(error);
  });
  assert.equal(long.bodies.length, 1);
});

test("a signal gives up what is sent at once, and what waits before the next try, with its reason", async (t) => {
  noBackoff(t);
  const { url, bodies } = await serve(t, (_, response, count) => {
    if (count === 1) during.abort(new Error("during"));
    else response.writeHead(503, { "retry-after": "1" }).end("busy", () => setTimeout(abort, 300));
  });
  const abort = () => waiting.abort(new Error("waiting"));
  const [before, during, waiting] = [new AbortController(), new AbortController(), new AbortController()];
  before.abort(new Error("before"));
  const roomful = client(url);
  await assert.rejects(roomful.publish("lobby", "e", 1, { signal: before.signal }), /before/);
  assert.equal(bodies.length, 0);
  const fetch = () => assert.fail("nothing is sent");
  await assert.rejects(client(url, { fetch }).presence("lobby", { signal: before.signal }), /before/);
  const start = performance.now();
  await assert.rejects(roomful.publish("lobby", "e", 1, { signal: during.signal }), /during/);
  assert.ok(performance.now() - start < 5_000);
  await assert.rejects(roomful.history("lobby", { signal: waiting.signal }), /waiting/);
  assert.equal(bodies.length, 2, "a wait that was given up ends in no further try");
  assert.ok(!bodies[0]!.includes("signal"));
});

test("a signal that stays quiet lets the timeout be", async (t) => {
  const { url, bodies } = await serve(t, () => {});
  const { signal } = new AbortController();
  const roomful = client(url, { timeout: 30, retries: 1 });
  await assert.rejects(roomful.presence("lobby", { signal }), failsWith("timeout"));
  assert.equal(bodies.length, 2);
});
