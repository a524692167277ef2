// Somebody else's page in the browser of a user, or of a developer: what it can send without asking, and what it gets.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import WebSocket from "ws";
import { freshRoom, get, post } from "./client.mjs";
import { startServer } from "./server.mjs";
import { mint } from "./token.mjs";

const [closed, anonymous, open] = await Promise.all([
  startServer(test, { vars: { ALLOWED_ORIGINS: "https://app.example" } }),
  startServer(test, { vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } }),
  startServer(test, { vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true", ALLOWED_ORIGINS: "https://demo.example" } }),
]);

/** The three content types that a form, or a page without a preflight, can send. */
const SIMPLE = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"];
const message = { event: "e", data: "forged" };
const forgeries = (room) => [
  [`/room/${room}/publish`, message],
  ["/publish", { messages: [{ room, ...message }] }],
  [`/room/${room}/disconnect`, { user: "ana", ban_seconds: 60 }],
];

/** As a browser would send it: with all that it has for the Worker's address, and with the page's origin. */
const simple = (server, path, body, type, headers) =>
  post(server, path, body, {
    token: null,
    headers: { "content-type": type, cookie: "session=ana", "sec-fetch-site": "cross-site", ...headers },
  });

/** What was said in the room, and whether somebody is banned. */
async function traces(server, room, token) {
  const { body } = await get(server, `/room/${room}/history`, { token });
  const banned = await get(server, `/room/${room}/presence${token ? "" : "?user=ana"}`, {
    token: token && mint({ sub: "ana", room }),
  });
  return [body.messages.length, banned.status];
}

test("t3 t7 a form on a foreign page gets nowhere, with a token in the URL or without", async () => {
  const room = freshRoom();
  const admin = mint({ sub: "server", room: "*", can: ["admin"] });
  for (const type of SIMPLE) {
    for (const [path, body] of forgeries(room)) {
      for (const query of ["", `?token=${admin}`]) {
        for (const origin of ["https://evil.example", "null"]) {
          const refused = await simple(closed, path + query, body, type, { origin });
          assert.deepEqual([refused.status, refused.body.error.code], [403, "forbidden_origin"], path);
          assert.equal(refused.headers.get("access-control-allow-origin"), null);
        }
      }
      // No cookie and no password of the browser's is a token: there is nothing to ride on, from whatever page.
      for (const headers of [{}, { origin: "https://app.example" }, { authorization: "Basic YW5hOnBhc3M=" }]) {
        assert.equal((await simple(closed, path, body, type, headers)).body.error.code, "invalid_token", path);
      }
    }
  }
  assert.deepEqual(await traces(closed, room, admin), [0, 200]);
  // Who has a token needs nobody's browser: the content type is not what keeps anybody out.
  const { status } = await simple(closed, `/room/${room}/publish?token=${admin}`, message, "text/plain");
  assert.equal(status, 200);
});

test("t6 t7 while anonymous, a form on a foreign page gets nowhere either", async () => {
  const room = freshRoom();
  for (const type of SIMPLE) {
    for (const [path, body] of forgeries(room)) {
      for (const origin of ["https://evil.example", "http://evil.example:8787", "null", "http://localhost.evil.example"]) {
        const { body: refused } = await simple(anonymous, path, body, type, { origin });
        assert.equal(refused.error.code, "forbidden_origin", `${path} ${origin}`);
      }
    }
  }
  assert.deepEqual(await traces(anonymous, room, null), [0, 200]);
});

/** A request as curl or a browser makes it, with this `Host`; gives status and body. */
function ask(server, path, host, { upgrade = false } = {}) {
  const { hostname, port } = new URL(server.url);
  if (upgrade) {
    const socket = new WebSocket(`ws://${hostname}:${port}${path}`, { headers: { host } });
    return new Promise((resolve) => {
      socket.on("open", () => resolve({ status: 101 }) || socket.terminate());
      socket.on("unexpected-response", (_, { statusCode }) => resolve({ status: statusCode }) || socket.terminate());
      socket.on("error", () => {});
    });
  }
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ hostname, port, path, headers: { host, connection: "close" } }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    asked.on("error", reject).end();
  });
}

test("t7 while anonymous, a page whose name was made to lead to this machine reads nothing", async () => {
  await post(anonymous, "/room/diary/publish", { event: "e", data: "dear diary" }, { token: null });
  const { port } = new URL(anonymous.url);
  const paths = ["/", "/room/diary", "/room/diary/history", "/room/diary/presence"];
  for (const host of [`evil.example:${port}`, "localhost.evil.example", `127.0.0.1.evil.example:${port}`, "laptop.local"]) {
    for (const path of paths) {
      const { status, body } = await ask(anonymous, path, host);
      assert.equal(status, 403, `${host}${path}`);
      assert.ok(body.includes("forbidden_origin") && !body.includes("diary"), body);
    }
    assert.equal((await ask(anonymous, "/room/diary", host, { upgrade: true })).status, 403);
    assert.equal((await ask(anonymous, "/health", host)).status, 200);
  }
  // Numbers cannot be made to lead elsewhere: a telephone on the same network may ask, and tools on this machine.
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, `app.localhost:${port}`, `192.168.1.5:${port}`]) {
    for (const path of paths.slice(1)) assert.equal((await ask(anonymous, path, host)).status, 200, host);
    assert.equal((await ask(anonymous, "/room/diary", host, { upgrade: true })).status, 101);
  }
  // A name that is meant is in the list. Where tokens are needed, they are what counts.
  const { port: other } = new URL(open.url);
  assert.equal((await ask(open, "/room/diary/history", "demo.example")).status, 403, "the list has it with https");
  assert.equal((await ask(open, "/room/diary/history", `localhost:${other}`)).status, 200);
  const token = mint({ sub: "ana", room: "*" });
  assert.equal((await ask(closed, `/room/diary/history?token=${token}`, "rooms.example")).status, 200);
});

test("t6 who lets strangers in without a token is told so in the log, once", async (t) => {
  const server = await startServer(t, { vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } });
  await get(server, "/room/lobby", { token: null });
  assert.doesNotMatch(server.log, /"anonymous"/, "this machine is none");
  for (let count = 0; count < 3; count++) await ask(server, "/room/lobby", "192.168.1.5:8787");
  await ask(server, "/room/lobby", "rooms.example");
  await server.kill();
  const lines = server.log.match(/\{"event":"anonymous".*\}/g);
  assert.deepEqual(lines?.map((line) => JSON.parse(line)), [{ event: "anonymous", address: "http://192.168.1.5:8787" }]);
});
