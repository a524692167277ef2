// The route that `createAuthHandler` makes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthHandler } from "../../src/server.ts";
import { SECRET, part, signedWith } from "./door.ts";

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
