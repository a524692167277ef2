import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, open, post, request } from "./client.mjs";
import { startServer } from "./server.mjs";
import { mint } from "./token.mjs";

const [listed, any, unset, anonymous] = await Promise.all([
  startServer(test, { vars: { ALLOWED_ORIGINS: "https://app.example, http://localhost:3000, https://app-*-team.vercel.app" } }),
  startServer(test, { vars: { ALLOWED_ORIGINS: "*" } }),
  startServer(test),
  startServer(test, { vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } }),
]);
const token = mint({ sub: "ana", room: "lobby" });
const from = (origin) => ({ token, headers: { origin } });

test("t7 origins in the list may connect and read, others get forbidden_origin", async () => {
  for (const origin of ["https://app.example", "http://localhost:3000", "https://app-git-main-team.vercel.app"]) {
    const { status, headers } = await get(listed, "/room/lobby/presence", from(origin));
    assert.equal(status, 200);
    assert.equal(headers.get("access-control-allow-origin"), origin);
    assert.match(headers.get("vary"), /origin/i);
    await join(listed, "lobby", from(origin));
  }
  for (const origin of ["https://app.example.evil", "http://app.example", "https://app.example:8443", "https://app-x.y-team.vercel.app", "null"]) {
    const { status, headers, body } = await get(listed, "/room/lobby/presence", from(origin));
    assert.deepEqual([status, body.error.code], [403, "forbidden_origin"], origin);
    assert.equal(headers.get("access-control-allow-origin"), null);
    const browser = await open(listed, "lobby", from(origin));
    assert.deepEqual([(await browser.end()).code, browser.messages[0].code], [4501, "forbidden_origin"]);
    const plain = await open(listed, "lobby", { ...from(origin), plain: true });
    assert.equal(plain.refused.status, 403);
  }
});

test("t7 without an Origin the rule does not apply", async () => {
  for (const server of [listed, any, unset]) {
    const { status, headers } = await get(server, "/room/lobby/presence", { token });
    assert.deepEqual([status, headers.get("access-control-allow-origin")], [200, null]);
  }
});

test("t7 * allows every origin, and unset none", async () => {
  const { status, headers } = await get(any, "/room/lobby/presence", from("https://anywhere.example"));
  assert.deepEqual([status, headers.get("access-control-allow-origin")], [200, "*"]);
  await join(any, "lobby", from("https://anywhere.example"));
  for (const origin of ["https://app.example", "http://localhost:3000", "null"]) {
    assert.equal((await get(unset, "/room/lobby/presence", from(origin))).body.error.code, "forbidden_origin");
  }
});

test("t7 a refusal can be read by a page of an allowed origin", async () => {
  const { status, headers } = await get(listed, "/room/lobby/presence", {
    token: "x",
    headers: { origin: "https://app.example" },
  });
  assert.deepEqual([status, headers.get("access-control-allow-origin")], [401, "https://app.example"]);
});

test("t7 h6 /health answers every origin, and pages of allowed ones may read it", async () => {
  const health = async (server, origin) => {
    const { status, body, headers } = await get(server, "/health", { token: null, headers: { origin } });
    return [status, body.ok, headers.get("access-control-allow-origin")];
  };
  assert.deepEqual(await health(listed, "https://app.example"), [200, true, "https://app.example"]);
  assert.deepEqual(await health(any, "https://evil.example"), [200, true, "*"]);
  for (const server of [listed, unset, anonymous]) {
    assert.deepEqual(await health(server, "https://evil.example"), [200, true, null]);
  }
});

test("t4 t7 h6 of all that is wrong with a request the first in the documented order counts", async () => {
  const room = freshRoom();
  const path = `/room/${room}/publish`;
  const origin = "https://app.example";
  const version = { "sec-websocket-protocol": "roomful.v2" };
  const ana = (can, room) => mint({ sub: "ana", room, can });
  await post(listed, `/room/${room}/disconnect`, { user: "ana", ban_seconds: 60 });
  // In each line one thing more is right.
  const steps = [
    ["forbidden_origin", "GET", "/room/a%20b/publish", { ...version, origin: "https://evil.example" }, null],
    ["invalid_room", "GET", "/room/a%20b/publish", { ...version, origin }, null],
    ["method_not_allowed", "GET", path, { ...version, origin }, null],
    ["unsupported_protocol", "POST", path, { ...version, origin }, null, "{"],
    ["invalid_token", "POST", path, { origin }, null, "{"],
    ["forbidden", "POST", path, { origin }, ana([], "elsewhere"), "{", /room/],
    ["forbidden", "POST", path, { origin }, ana([], room), "{", /right/],
    ["bad_message", "POST", path, { origin }, ana(["publish"], room), "{"],
    ["banned", "POST", path, { origin }, ana(["publish"], room), { event: "e" }],
    ["forbidden", "GET", `/room/${room}/history?limit=0`, { origin }, ana([], room)],
    ["bad_message", "GET", `/room/${room}/history?limit=0`, { origin }, ana(["history"], room)],
    ["banned", "GET", `/room/${room}/history`, { origin }, ana(["history"], room)],
  ];
  for (const [code, method, path, headers, token, body, message = /./] of steps) {
    const { error } = (await request(listed, method, path, { headers, token, body })).body;
    assert.equal(error?.code, code, `${method} ${path}`);
    assert.match(error.message, message);
  }
});

test("t7 OPTIONS answers 204 with what a browser asks for, without a token", async () => {
  const preflight = {
    token: null,
    headers: {
      origin: "https://app.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    },
  };
  const { status, headers, body } = await request(listed, "OPTIONS", "/room/lobby/publish", preflight);
  assert.deepEqual([status, body], [204, ""]);
  assert.equal(headers.get("access-control-allow-origin"), "https://app.example");
  assert.match(headers.get("access-control-allow-methods"), /POST/);
  for (const name of ["authorization", "content-type", "last-event-id"]) {
    assert.match(headers.get("access-control-allow-headers").toLowerCase(), new RegExp(name));
  }
  for (const path of [
    "/publish",
    "/room/lobby",
    "/room/lobby/presence",
    "/room/lobby/history",
    "/room/lobby/disconnect",
  ]) {
    assert.equal((await request(listed, "OPTIONS", path, preflight)).status, 204, path);
  }
  const stranger = { token: null, headers: { ...preflight.headers, origin: "https://evil.example" } };
  assert.equal((await request(listed, "OPTIONS", "/room/lobby/publish", stranger)).status, 403);
});

test("t6 t7 anonymous: everybody may do everything under a name of their choice, local pages included", async () => {
  const named = await join(anonymous, "lobby", { token: null, query: { user: "ana b" } });
  assert.equal(named.welcome.user.id, "ana b");
  assert.deepEqual(named.welcome.can, ["subscribe", "publish", "presence", "history", "admin"]);
  assert.equal(named.welcome.expires_in, null);
  const [one, two] = [await join(anonymous, "lobby", { token: null }), await join(anonymous, "lobby", { token: null })];
  assert.notEqual(one.welcome.user.id, two.welcome.user.id);
  assert.equal((await request(anonymous, "DELETE", "/room/lobby", { token: null })).status, 200);
  for (const origin of ["http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:3000", "https://localhost"]) {
    assert.equal((await get(anonymous, "/room/lobby", { token: null, headers: { origin } })).status, 200, origin);
  }
  for (const origin of ["https://app.example", "http://localhost.evil.example", "null"]) {
    const { body } = await get(anonymous, "/room/lobby", { token: null, headers: { origin } });
    assert.equal(body.error.code, "forbidden_origin", origin);
  }
});

test("t6 not_configured: everything but /health is refused", async (t) => {
  const contradictions = [
    { ROOMFUL_SECRETS: undefined },
    { ROOMFUL_ANONYMOUS: "true" },
    { ROOMFUL_ANONYMOUS: "true", ROOMFUL_SECRETS: " , " },
    { ROOMFUL_ANONYMOUS: "yes" },
    { ROOMFUL_SECRETS: "short" },
    { MAX_MESSAGE_BYTES: "many" },
  ];
  await Promise.all(
    contradictions.map(async (vars) => {
      const name = JSON.stringify(vars);
      const server = await startServer(t, { vars });
      assert.equal((await get(server, "/health", { token: null })).status, 200, name);
      const posted = await post(server, "/health", {}, { token: null });
      assert.deepEqual([posted.status, posted.headers.get("allow")], [405, "GET, HEAD, OPTIONS"], name);
      for (const path of ["/", "/room/lobby", "/room/lobby/presence", "/nowhere"]) {
        const { status, body } = await get(server, path, { token });
        assert.deepEqual([status, body.error?.code], [500, "not_configured"], `${name} ${path}`);
      }
      const browser = await open(server, "lobby", { token });
      assert.equal((await browser.end()).code, 4103, name);
      assert.doesNotMatch(browser.frames.join(), /short|many/);
    }),
  );
});
