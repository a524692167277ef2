// The door `roomful/server` without a Worker: against servers on this machine that misbehave.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Roomful, RoomfulError, createAuthHandler, createToken } from "../../src/server.ts";
import type { RoomfulOptions } from "../../src/server.ts";

const SECRET = "a secret of the tests with 32 bytes and more";

const part = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split(".")[index]!, "base64url").toString("utf8"));

/** Whether HS256 with this secret signed the token. */
function signedWith(token: string, secret: string) {
  const end = token.lastIndexOf(".");
  return createHmac("sha256", secret).update(token.slice(0, end)).digest("base64url") === token.slice(end + 1);
}

const failsWith =
  (code: string, text = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof RoomfulError, `${error}`);
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  };

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server on a free port, closed with the test; with the bodies that it got. */
async function serve(t: TestContext, answer: Answer) {
  const bodies: string[] = [];
  const requests: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text) => {
      body += text;
    });
    request.on("end", () => {
      bodies.push(body);
      requests.push(request);
      answer(request, response, bodies.length);
    });
  };
  const server = createServer(listener);
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, bodies, requests };
}

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
const published = (response: ServerResponse) => json(response, 200, { offset: 1, epoch: "e" });
const refusal = (code: string, retryable: boolean, rest = {}) => ({
  error: { code, message: "No.", retryable, ...rest },
});
const client = (url: string, options: Partial<RoomfulOptions> = {}) =>
  new Roomful({ url, secret: SECRET, ...options } as RoomfulOptions);
/** Waits are random; for a test they are none, but for what a server asks for. */
const noBackoff = (t: TestContext) => t.mock.method(Math, "random", () => 0);

test("T1, T2: a token has a header and the claims that were asked for, signed with HS256", async () => {
  const token = await createToken({
    secret: SECRET,
    user: "añá 😀",
    room: ["lobby", "team-7:*"],
    can: ["subscribe"],
    info: { name: "Ána" },
    expiresIn: 60,
    issuer: "shop",
    audience: ["rooms", "more"],
    now: 1_795_257_803_999,
  });
  assert.ok(signedWith(token, SECRET));
  assert.deepEqual(part(token, 0), { alg: "HS256", typ: "JWT" });
  assert.deepEqual(part(token, 1), {
    sub: "añá 😀",
    exp: 1_795_257_863,
    room: ["lobby", "team-7:*"],
    can: ["subscribe"],
    info: { name: "Ána" },
    iss: "shop",
    aud: ["rooms", "more"],
  });
});

test("T2: what is not given is no claim, but for the end in ten minutes", async () => {
  const claims = part(await createToken({ secret: SECRET, user: "ana", room: "lobby" }), 1);
  assert.deepEqual(Object.keys(claims).sort(), ["exp", "room", "sub"]);
  assert.ok(Math.abs(claims.exp - Date.now() / 1_000 - 600) < 5);
});

test("T1: of a list the first secret signs, with its kid if it has one", async () => {
  const cases: [entry: string, kid: string | undefined, secret: string][] = [
    [`k-1_A:${SECRET}`, "k-1_A", SECRET],
    [`new:${SECRET},old:${"o".repeat(32)}`, "new", SECRET],
    [`\n , ${SECRET} ,old:${"o".repeat(32)}\n`, undefined, SECRET],
    [`k:${SECRET}:x`, "k", `${SECRET}:x`],
    [`a b:${SECRET}`, undefined, `a b:${SECRET}`],
    [`:${SECRET}`, undefined, `:${SECRET}`],
    [`ü:${SECRET}`, undefined, `ü:${SECRET}`],
    [`${"k".repeat(33)}:${SECRET}`, undefined, `${"k".repeat(33)}:${SECRET}`],
    [`${"k".repeat(32)}:${SECRET}`, "k".repeat(32), SECRET],
    ["ü".repeat(16), undefined, "ü".repeat(16)],
  ];
  for (const [secret, kid, signer] of cases) {
    const token = await createToken({ secret, user: "ana", room: "lobby" });
    assert.ok(signedWith(token, signer), secret);
    assert.equal(part(token, 0).kid, kid, secret);
  }
});

test("T1: a secret that is missing or too short is refused, and not told", async () => {
  for (const secret of [undefined, null, "", 7, "s".repeat(31), `kid:${"s".repeat(31)}`, " , ", "kid:  "]) {
    await assert.rejects(createToken({ secret, user: "ana", room: "lobby" } as never), (error: Error) => {
      assert.ok(!error.message.includes("sss"), error.message);
      return failsWith("invalid_argument", /`secret`.*ROOMFUL_SECRETS.*32/)(error);
    });
  }
});

test("T2: nobody and nowhere are refused by name", async () => {
  const right = { secret: SECRET, user: "ana", room: "lobby" };
  for (const [name, values] of [["user", [undefined, null, ""]], ["room", [undefined, null, "", [], [""]]]] as const) {
    for (const value of values) {
      const made = createToken({ ...right, [name]: value } as never);
      await assert.rejects(made, failsWith("invalid_argument", new RegExp(`\`${name}\``)), JSON.stringify(value));
    }
  }
  for (const room of ["*", "a*", "A-Z_a.z:0~9@x", "r".repeat(128)]) await createToken({ ...right, room });
  await createToken({ ...right, user: "😀".repeat(128), info: { x: "y".repeat(2_040) }, can: [] });
});

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
  await assert.rejects(client(hangs.url, { timeout: 30, retries: 1 }).presence("lobby"), (error: RoomfulError) => {
    assert.deepEqual([error.retryable, (error.cause as Error).name], [true, "TimeoutError"]);
    return failsWith("timeout")(error);
  });
  assert.equal(hangs.bodies.length, 2);
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

test("data that has no JSON is a TypeError", async () => {
  const fetch = () => assert.fail("nothing is sent");
  await assert.rejects(client("https://a.example", { fetch }).publish("lobby", "e", { n: 1n }), TypeError);
});

const ask = (body: unknown, { type = "application/json", method = "POST" } = {}) =>
  new Request("https://app.example/api/roomful", {
    method,
    headers: { "content-type": type, cookie: "session=1" },
    ...(method === "POST" && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

test("the handler gives a token for the asked room alone", async () => {
  const POST = createAuthHandler({
    secret: `k:${SECRET}`,
    expiresIn: 60,
    issuer: "app",
    authorize: async ({ request, room }) => ({
      user: `${request.headers.get("cookie")} in ${room}`,
      can: ["subscribe"],
    }),
  });
  for (const type of ["application/json", "Application/JSON; charset=utf-8"]) {
    const response = await POST(ask({ room: "lobby" }, { type }));
    assert.deepEqual([response.status, response.headers.get("cache-control")], [200, "no-store"]);
    const { token } = await response.json();
    const { exp, ...claims } = part(token, 1);
    assert.ok(signedWith(token, SECRET) && part(token, 0).kid === "k");
    assert.deepEqual(claims, { sub: "session=1 in lobby", room: "lobby", can: ["subscribe"], iss: "app" });
    assert.ok(Math.abs(exp - Date.now() / 1_000 - 60) < 5);
  }
  const wide = createAuthHandler({
    secret: SECRET,
    authorize: () => ({ user: "ana", room: ["lobby", "team-7:*"], expiresIn: 5 }),
  });
  const { room, exp } = part((await (await wide(ask({ room: "lobby" }))).json()).token, 1);
  assert.deepEqual(room, ["lobby", "team-7:*"]);
  assert.ok(exp - Date.now() / 1_000 < 6);
  const unsure = createAuthHandler({
    secret: SECRET,
    expiresIn: 60,
    authorize: () => ({ user: "ana", room: undefined, expiresIn: undefined }) as never,
  });
  const claims = part((await (await unsure(ask({ room: "lobby" }))).json()).token, 1);
  assert.equal(claims.room, "lobby");
  assert.ok(claims.exp - Date.now() / 1_000 < 61);
});

test("N1: the handler asks nobody about what is no room, no JSON or no POST", async () => {
  const POST = createAuthHandler({ secret: SECRET, authorize: () => assert.fail("nobody is asked") });
  const refused = async (request: Request) => {
    const response = await POST(request);
    const { error } = await response.json();
    assert.deepEqual([error.retryable, response.headers.get("cache-control")], [false, "no-store"]);
    assert.ok(error.message);
    assert.equal(response.headers.get("allow"), "POST");
    return [response.status, error.code];
  };
  // A wildcard would give whoever asks everything that `authorize` does not look at.
  for (const room of ["*", "team-*", "", ".", "a/b", 7, null, ["lobby"], {}, undefined]) {
    assert.deepEqual(await refused(ask({ room })), [400, "bad_message"], JSON.stringify(room));
  }
  for (const body of ["", "{", "null", "7", '"lobby"', "[]"]) {
    assert.deepEqual(await refused(ask(body)), [400, "bad_message"], body);
  }
  // What a page of another site can send without a preflight.
  const simple = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
  for (const type of [...simple, "text/plain; application/json"]) {
    assert.deepEqual(await refused(ask({ room: "lobby" }, { type })), [400, "bad_message"], type);
  }
  for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
    assert.deepEqual(await refused(ask("", { method })), [405, "method_not_allowed"], method);
  }
});

test("the handler refuses whom `authorize` refuses, and hands on its responses", async () => {
  for (const nobody of [null, undefined]) {
    const response = await createAuthHandler({ secret: SECRET, authorize: () => nobody })(ask({ room: "lobby" }));
    const { error } = await response.json();
    assert.equal(response.status, 403);
    assert.deepEqual([error.code, error.retryable, typeof error.message], ["forbidden", false, "string"]);
  }
  const own = new Response("Sign in", { status: 401 });
  const returns = createAuthHandler({ secret: SECRET, authorize: () => own });
  assert.equal(await returns(ask({ room: "lobby" })), own);
  const throws = createAuthHandler({
    secret: SECRET,
    authorize: () => {
      throw own;
    },
  });
  assert.equal(await throws(ask({ room: "lobby" })), own);
});

test("the handler tells the application of errors, and the client nothing", async () => {
  const told: unknown[] = [];
  const onError = (error: unknown) => told.push(error);
  const handlers = [
    createAuthHandler({ secret: SECRET, onError, authorize: () => Promise.reject(new Error("database at 10.0.0.7")) }),
    createAuthHandler({ secret: SECRET, onError, authorize: () => ({ user: undefined as never }) }),
    createAuthHandler({ secret: "hush", onError, authorize: () => ({ user: "ana" }) }),
  ];
  for (const POST of handlers) {
    const response = await POST(ask({ room: "lobby" }));
    const text = await response.text();
    assert.deepEqual([response.status, JSON.parse(text).error.code], [500, "internal"]);
    assert.ok(!/10\.0\.0|hush|secret|user/.test(text), text);
  }
  assert.deepEqual(told.map((error) => (error as Error).message.slice(0, 8)), ["database", "Empty `u", "`secret`"]);
});
