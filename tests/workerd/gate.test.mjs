// What stands before a room, asked by somebody who writes requests by hand.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import WebSocket from "ws";
import { freshRoom, get, join, post, request, tokenFor } from "./client.mjs";
import { startServer } from "./server.mjs";

const [server, anonymous] = await Promise.all([
  startServer(test, { vars: { ALLOWED_ORIGINS: "https://app.example" } }),
  startServer(test, { vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } }),
]);

/** Sends a request as it stands; gives status and the text of the answer. */
function raw(method, path, headers) {
  const { hostname, port } = new URL(server.url);
  const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = "";
    socket.setEncoding("latin1").setTimeout(60_000, () => socket.destroy(new Error(`no end of ${text}`)));
    socket.on("data", (part) => {
      text += part;
      const [head, body] = text.split("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body?.length >= length) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1]), text }));
    socket.write(`${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`);
  });
}

const handshake = { connection: "Upgrade", "sec-websocket-version": 13, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };

test("c1 t4 what the runtime takes for no upgrade comes to no room as one", async () => {
  const room = freshRoom();
  const authorization = `Bearer ${tokenFor("ana", room)}`;
  const offer = { ...handshake, authorization, "sec-websocket-protocol": "roomful.v1" };
  const upgraded = await raw("GET", `/room/${freshRoom()}`, { ...offer, upgrade: "WebSocket", authorization: "none" });
  assert.equal(upgraded.status, 101);
  for (const upgrade of ["h2c, websocket", "websocket, h2c", "websockets", "websocket/13"]) {
    const { status, text } = await raw("GET", `/room/${room}`, { ...offer, upgrade });
    assert.equal(status, 403, `${upgrade}: ${text}`);
    assert.match(text, /"code":"forbidden"/);
  }
  const posted = await raw("POST", `/room/${room}`, { ...offer, upgrade: "websocket", "content-length": 0 });
  assert.deepEqual([posted.status, /allow: (.*)\r/i.exec(posted.text)?.[1]], [405, "GET, DELETE, OPTIONS"], posted.text);
  assert.equal((await get(server, `/room/${room}`)).body.created_at, null, "nobody has been there");
});

test("h6 no answer may be cached", async () => {
  const room = freshRoom();
  const path = `/room/${room}`;
  const origin = { headers: { origin: "https://app.example" } };
  const answers = [
    [server, "GET", "/health"],
    [server, "HEAD", "/health"],
    [server, "GET", "/nowhere"],
    [server, "PUT", path],
    [server, "OPTIONS", path, origin],
    [server, "OPTIONS", "/publish", { ...origin, token: null }],
    [server, "GET", "/metrics"],
    [server, "GET", path],
    [server, "GET", path, { token: null }],
    [server, "GET", `${path}/metrics`],
    [server, "GET", `${path}/presence`, origin],
    [server, "GET", `${path}/history`],
    [server, "POST", `${path}/publish`, { body: { event: "e" } }],
    [server, "POST", `${path}/publish`, { body: "x" }],
    [server, "POST", "/publish", { body: { messages: [{ room, event: "e" }] } }],
    [server, "POST", `${path}/disconnect`, { body: { user: "ana" } }],
    [server, "DELETE", path],
    [anonymous, "GET", "/", { token: null }],
    [anonymous, "OPTIONS", "/", { token: null }],
  ];
  for (const [at, method, to, options] of answers) {
    const { status, headers } = await request(at, method, to, options);
    assert.equal(headers.get("cache-control"), "no-store", `${method} ${to} ${status}`);
  }
});

test("t2 the right counts before what is asked", async () => {
  const room = freshRoom();
  const without = { claims: { room, can: ["publish"] } };
  for (const query of ["limit=x", "after=-1", "limit=1"]) {
    assert.equal((await get(server, `/room/${room}/history?${query}`, without)).body.error.code, "forbidden", query);
  }
  assert.equal((await get(server, `/room/${room}/history?limit=x`)).body.error.code, "bad_message");
  const reader = { claims: { room, can: ["history"] } };
  for (const body of ["x", { event: "e" }, { messages: [{ room, event: "e" }] }, "x".repeat(1_100_000)]) {
    assert.equal((await post(server, `/room/${room}/publish`, body, reader)).body.error.code, "forbidden");
    assert.equal((await post(server, `/room/${room}/disconnect`, body, reader)).body.error.code, "forbidden");
    assert.equal((await post(server, "/publish", body, reader)).body.error?.code, "forbidden");
  }
});

test("r3 t6 what is no percent-encoding is a value like another", async () => {
  const room = freshRoom();
  const address = `${server.url.replace("http", "ws")}/room/${room}?token=${tokenFor("ana", room)}`;
  for (const query of ["epoch=%ff&offset=%zz", "epoch=%zz", "offset=%", "offset=%e4%b8"]) {
    const socket = new WebSocket(`${address}&${query}`, { perMessageDeflate: false });
    const welcome = await new Promise((resolve, reject) => {
      socket.once("message", (text) => resolve([JSON.parse(text)].flat()[0]));
      socket.once("error", reject);
    });
    assert.equal(welcome.recovered, false, query);
    socket.terminate();
  }
  const named = await join(anonymous, room, { token: null, query: { user: "a+b %" } });
  assert.equal(named.welcome.user.id, "a+b %");
});

test("h6 c6 a body is one JSON text and nothing else, whatever is said of it", async () => {
  const room = freshRoom();
  const message = JSON.stringify({ event: "e", data: 1 });
  const bodies = [
    `${message}${message}`,
    `${message},${message}`,
    `${message}]`,
    `[${message}]`,
    `${message}\0`,
    `${message}x`,
    "",
    " ",
    "null",
    Buffer.from(message, "utf16le"),
    gzipSync(message),
  ];
  for (const body of bodies) {
    for (const type of ["application/json", "text/plain; charset=utf-16", "multipart/form-data"]) {
      const headers = { "content-type": type, ...(Buffer.isBuffer(body) && { "content-encoding": "gzip" }) };
      const answer = await post(server, `/room/${room}/publish`, body, { headers });
      assert.deepEqual([answer.status, answer.body.error?.code], [400, "bad_message"], String(body));
    }
  }
  assert.equal((await get(server, `/room/${room}`)).body.offset, 0);
});
