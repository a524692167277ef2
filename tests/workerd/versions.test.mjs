// A deploy is under way: for some seconds the Worker is of one version and a room's object of another. What they say to
// each other was said by release 0.1 as in tests/fixtures/calls-1.json.
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import WebSocket from "ws";
import { at, root } from "../../scripts/project.mjs";
import { Recorder, get, open, post, request } from "./client.mjs";
import { startServer } from "./server.mjs";
import { mint } from "./token.mjs";
import { until } from "./until.mjs";

const form = JSON.parse(readFileSync(at("tests/fixtures/calls-1.json"), "utf8"));
const { room, asks } = form;

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const parsed = (text) => JSON.parse(Buffer.from(text, "base64url"));
const callOf = (ask, grant = form.grant) => base64url({ room, grant: base64url(grant), ask });

/** A server of this build, but for one part of its main module: what begins with a line like `pattern` is `other`. */
async function serveOther(t, pattern, other) {
  const folder = mkdtempSync(path.join(tmpdir(), "roomful-other-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of readdirSync(at("build")).filter((name) => /\.(mjs|js|wasm)$/.test(name))) {
    copyFileSync(path.join(at("build"), name), path.join(folder, name));
  }
  const entry = readFileSync(path.join(folder, "entry.mjs"), "utf8");
  assert.match(entry, pattern);
  writeFileSync(path.join(folder, "entry.mjs"), `${entry.replace(pattern, "void ")}\n${other}`);
  return startServer(t, { folder: path.relative(root, folder) });
}

/** Hands on a call as it stands in the URL, to the object of this build. */
const otherWorker = (t) =>
  serveOther(
    t,
    /^export default /m,
    `export default {
      fetch(request, env) {
        const { method, body } = request;
        const headers = { "roomful-call": new URL(request.url).searchParams.get("call") };
        if (request.headers.has("upgrade")) headers.upgrade = "websocket";
        return env.ROOMS.getByName(${JSON.stringify(room)}).fetch("https://room/", { method, headers, body });
      },
    };`,
  );

/** Answers what this build's Worker asks with what \`answer\`, an expression of JavaScript, makes of \`asked\`. */
const otherObject = (t, answer) =>
  serveOther(
    t,
    /^export (?=class Room )/m,
    `class Other extends DurableObject {
      async fetch(request) {
        const asked = { call: request.headers.get("roomful-call"), method: request.method, body: await request.text() };
        return ${answer};
      }
    }
    export { Other as Room };`,
  );

suite("versions", { concurrency: true }, () => {
  test("e2 m4 r2 what the Worker of a release asks is understood", async (t) => {
    const server = await otherWorker(t);
    const ask = async (name, body, call = callOf(asks[name])) => {
      const method = body === undefined ? "GET" : "POST";
      const { status, body: answer } = await request(server, method, `/?call=${call}`, { body, token: null });
      assert.equal(status, 200, `${name}: ${JSON.stringify(answer)}`);
      return answer;
    };
    const connect = async (name, protocols) => {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/?call=${callOf(asks[name])}`, protocols);
      t.after(() => socket.terminate());
      return new Recorder(socket).find("welcome");
    };
    const published = await ask("publish", [{ event: "e", data: 1, id: "x" }, { event: "roomful:no" }]);
    assert.deepEqual([published.results[0].offset, published.results[1].error.code], [1, "bad_message"]);
    assert.equal((await ask("publish", [{ event: "e", id: "x" }])).results[0].offset, 1);
    const welcome = await connect("socket", ["roomful.v1"]);
    assert.deepEqual([welcome.user, welcome.can, welcome.recovered], [
      { id: form.grant.user, info: form.grant.info },
      form.grant.can,
      false,
    ]);
    assert.equal((await connect("plain socket", [])).recovered, null);
    assert.equal((await ask("presence")).occupancy.connections, 2);
    assert.equal((await ask("history")).messages.length, 1);
    assert.equal((await ask("summary")).offset, 1);
    assert.match(await ask("metrics"), /^# HELP/);
    assert.deepEqual(await ask("disconnect", { user: "nobody" }), { closed: 0 });
    const stream = await fetch(`${server.url}/?call=${callOf(asks.stream)}`);
    assert.equal(stream.headers.get("content-type"), "text/event-stream");
    await stream.body.cancel();
    await ask("delete");
    assert.equal((await ask("summary")).offset, 0);
    // What a newer one adds is passed over.
    const more = { ...form.grant, can: ["publish", "fly"], later: 1 };
    const [resume, call] = [{ epoch: null, offset: null, later: 1 }, { later: 1 }];
    await ask("publish", [{ event: "e" }], callOf(asks.publish, more));
    await ask("history", undefined, callOf({ History: { query: "", later: resume } }));
    await ask("summary", undefined, base64url({ ...parsed(callOf(asks.summary)), call }));
  });

  test("e2 what a Worker of another version asks for is refused as a restart, not for good", async (t) => {
    const server = await otherWorker(t);
    for (const call of [callOf("SomethingNew"), callOf(asks.summary, { id: "another form" }), base64url({ room }), "?"]) {
      const { status, body } = await get(server, `/?call=${encodeURIComponent(call)}`, { token: null });
      assert.deepEqual([status, body.error.code, body.error.retryable], [503, "restarting", true]);
    }
  });

  test("e2 m4 r2 what this Worker asks is what a release understands", async (t) => {
    const server = await otherObject(t, "Response.json({ asked, results: [{ asked }] })");
    const { user: sub, info, can, expires_at } = form.grant;
    const token = mint({ sub, info, can, room, exp: expires_at / 1_000 });
    const path = `/room/${room}`;
    const message = JSON.stringify({ event: "e", data: 1.0 });
    const resume = { epoch: "e", offset: "1" };
    const socket = async (options) => {
      const asking = await open(server, room, { token, ...options });
      // It answers as no object does, which shows what it was asked.
      await until(() => asking.refused, "the answer");
      return asking.refused;
    };
    const answers = {
      socket: await socket({ resume: { ...resume, session: "s" } }),
      "plain socket": await socket({ plain: true }),
      stream: await get(server, `${path}?presence=true`, {
        token,
        headers: { accept: "text/event-stream", "last-event-id": "e/1" },
      }),
      publish: await post(server, `${path}/publish`, message, { token }),
      presence: await get(server, `${path}/presence`, { token }),
      history: await get(server, `${path}/history?limit=2`, { token }),
      summary: await get(server, path, { token }),
      metrics: await get(server, `${path}/metrics`, { token }),
      disconnect: await post(server, `${path}/disconnect`, { user: "nobody" }, { token }),
      delete: await request(server, "DELETE", path, { token }),
    };
    assert.deepEqual(Object.keys(answers), Object.keys(asks));
    const bodies = { publish: `[${message}]`, disconnect: '{"user":"nobody"}' };
    for (const [name, { body }] of Object.entries(answers)) {
      const { asked } = body;
      const { grant, ...call } = parsed(asked.call);
      assert.deepEqual(call, { room, ask: asks[name] }, name);
      assert.deepEqual(parsed(grant), form.grant, name);
      const sent = bodies[name] ?? "";
      assert.deepEqual([asked.method, asked.body], [sent ? "POST" : "GET", sent], name);
    }
    const batch = await post(server, "/publish", `{"messages":[{"room":"${room}","event":"e"}]}`, { token });
    assert.equal(batch.body.results[0].asked.body, `[{"room":"${room}","event":"e"}]`);
  });

  test("e1 e2 an error that only another version knows is no success", async (t) => {
    const error = JSON.stringify({ error: { code: "something_new", message: "No.", retryable: false } });
    const server = await otherObject(
      t,
      `asked.method === "GET" ? new Response('${error}', { status: 499 }) : new Response('{"results":[${error}]}')`,
    );
    const answers = [
      await get(server, `/room/${room}`),
      await post(server, `/room/${room}/publish`, { event: "e" }),
    ];
    for (const { status, body } of answers) {
      assert.deepEqual([status, body.error.code, body.error.message, body.error.retryable], [503, "room_busy", "No.", true]);
    }
    const { status, body } = await post(server, "/publish", { messages: [{ room, event: "e" }] });
    assert.deepEqual([status, body.results[0].error.code], [200, "something_new"], "whose code is each message's own");
  });
});
