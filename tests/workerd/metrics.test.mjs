import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { freshRoom, get, join, open, placeOf, post, request } from "./client.mjs";
import { parse, sample } from "./exposition.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const server = await startServer(test);
const admin = (room) => ({ claims: { room, can: ["admin"] } });
const scrape = async (room, at = server) => (await get(at, `/room/${room}/metrics`)).body;
const ofRoom = (text, name, labels) => sample(text, `roomful_room_${name}`, labels);
const ofWorker = (text, name, labels) => sample(text, `roomful_worker_${name}`, labels);

test("h9 a room tells its numbers in the format of Prometheus", async () => {
  const room = freshRoom("a.b:c~d@e_f");
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
  const { status, headers, body: before } = await get(server, `/room/${room}/metrics`);
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  assert.equal(headers.get("cache-control"), "no-store");
  for (const { name, samples } of parse(before).values()) {
    assert.match(name, /^roomful_room_/);
    assert.ok(samples.every(({ labels }) => labels.room === room), name);
  }
  assert.equal(ofRoom(before, "connections", { kind: "websocket" }), 2);
  // One for each join, one for the alarm, and some for the first use.
  assert.ok(ofRoom(before, "rows_written_total") >= 5);
  assert.equal(ofRoom(before, "alarms_set_total"), 1);
  assert.ok(ofRoom(before, "storage_bytes") >= 4_096);
  assert.ok(Math.abs(ofRoom(before, "start_time_seconds") - Date.now() / 1_000) < 120);

  await ana.publish("chat", "hi");
  await bob.find({ type: "message" });
  bob.drop();
  await until(async () => ofRoom(await scrape(room), "connections", { kind: "absent" }) === 1, "bob's drop");
  await join(server, room, { user: "bob", resume: placeOf(bob, 0) });
  ana.send("nonsense");
  await ana.find({ type: "error" });
  const after = await scrape(room);
  const grown = (name, labels) => ofRoom(after, name, labels) - ofRoom(before, name, labels);
  assert.equal(grown("messages_received_total", { kind: "stored" }), 1);
  assert.equal(grown("frames_received_total"), 2);
  assert.equal(grown("connects_total", { outcome: "recovered" }), 1);
  assert.equal(grown("errors_total", { code: "bad_message" }), 1);
  assert.equal(grown("client_closes_total", { code: "1006" }), 1);
  // The message; bob has no state, so his drop and his return write nothing.
  assert.equal(grown("rows_written_total"), 1);
});

test("h9 asking for the numbers of a room that nobody used writes nothing", async () => {
  const room = freshRoom();
  const text = await scrape(room);
  assert.equal(ofRoom(text, "rows_written_total"), 0);
  assert.equal((await get(server, `/room/${room}`)).body.created_at, null);
});

test("h9 t4 the numbers of a room are for its administrators", async () => {
  const room = freshRoom();
  const path = `/room/${room}/metrics`;
  const code = async (options) => {
    const { status, body } = await get(server, path, options);
    return [status, body.error?.code];
  };
  assert.deepEqual(await code({ token: null }), [401, "invalid_token"]);
  assert.deepEqual(await code({ token: "x" }), [401, "invalid_token"]);
  assert.deepEqual(await code(admin("another")), [403, "forbidden"]);
  const all = ["subscribe", "publish", "presence", "history"];
  assert.deepEqual(await code({ claims: { room, can: all } }), [403, "forbidden"]);
  assert.equal((await get(server, path, admin(room))).status, 200);
  await post(server, `/room/${room}/disconnect`, { user: "eve", ban_seconds: 60 });
  assert.deepEqual(await code({ user: "eve", ...admin(room) }), [403, "banned"]);
  for (const method of ["POST", "DELETE", "HEAD"]) {
    const { status, headers } = await request(server, method, path);
    assert.deepEqual([status, headers.get("allow")], [405, "GET, OPTIONS"], method);
  }
  assert.equal((await get(server, "/room/a%2Fb/metrics")).body.error.code, "invalid_room");
});

test("h9 t4 the numbers of the Worker are for who administers all rooms", async () => {
  const code = async (options) => {
    const { status, body } = await get(server, "/metrics", options);
    return [status, body.error?.code];
  };
  assert.deepEqual(await code({ token: null }), [401, "invalid_token"]);
  for (const room of ["lobby", "a*", [], undefined, ["a*", "b*"], "**", ["*a*", ""]]) {
    assert.deepEqual(await code(admin(room)), [403, "forbidden"], String(room));
  }
  assert.deepEqual(await code({ claims: { room: "*" } }), [403, "forbidden"]);
  for (const room of ["*", ["lobby", "*"]]) assert.equal((await get(server, "/metrics", admin(room))).status, 200);
  const { status, headers } = await request(server, "POST", "/metrics");
  assert.deepEqual([status, headers.get("allow")], [405, "GET, OPTIONS"]);
});

test("h9 the Worker tells what this isolate has answered", async () => {
  const { headers, body: before } = await get(server, "/metrics");
  assert.equal(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const isolates = new Set();
  for (const { samples } of parse(before).values()) for (const { labels } of samples) isolates.add(labels.isolate);
  assert.match([...isolates].join(), /^\d+$/);
  await join(server, freshRoom());
  assert.equal((await get(server, "/room/x", { token: "bad" })).status, 401);
  await (await open(server, freshRoom(), { token: "bad" })).end();
  assert.equal((await get(server, "/nowhere")).status, 404);
  await get(server, "/health");
  const { body: after } = await get(server, "/metrics");
  const grown = (name, labels) => ofWorker(after, name, labels) - ofWorker(before, name, labels);
  assert.equal(grown("requests_total", { outcome: "upgraded" }), 1);
  assert.equal(grown("requests_total", { outcome: "refused" }), 3);
  // The first scrape, which could not count itself.
  assert.equal(grown("requests_total", { outcome: "answered" }), 1);
  assert.equal(grown("errors_total", { code: "invalid_token" }), 2);
  assert.equal(grown("errors_total", { code: "not_found" }), 1);
  assert.equal(grown("key_fetches_total", { outcome: "failed" }), 0);
});

/** What the runtime's own binding writes to a dataset. */
async function dataset(owner) {
  const points = [];
  const service = createServer((incoming, answer) => {
    let text = "";
    incoming.setEncoding("utf8").on("data", (part) => (text += part));
    incoming.on("end", () => {
      const point = JSON.parse(text);
      const text_of = (bytes) => Buffer.from(bytes ?? []).toString();
      points.push({
        index: text_of(point.index1),
        blobs: [1, 2, 3, 4].map((place) => text_of(point[`blob${place}`])),
        doubles: Array.from({ length: 20 }, (_, place) => point[`double${place + 1}`]),
      });
      answer.end();
    });
  });
  await new Promise((listening) => service.listen(0, "127.0.0.1", listening));
  owner.after(() => service.close());
  return { points, port: service.address().port };
}

test("h9 with a dataset bound a room writes what has happened, once it is quiet", async (t) => {
  const { points, port } = await dataset(t);
  const bound = await startServer(t, { dataset: port });
  const room = freshRoom("long".repeat(30));
  const ana = await join(bound, room);
  await ana.publish("chat", "hi");
  ana.send("nonsense");
  await ana.find({ type: "error" });
  await ana.close();
  const of = (kind) => points.filter(({ blobs }) => blobs[0] === kind);
  const total = (kind, place) => of(kind).reduce((sum, { doubles }) => sum + doubles[place - 1], 0);
  // docs/operations.md: 6 messages published, 13 new connections, 16 errors, 18 ends.
  // In one point or in several, which come each by itself.
  const totals = () => JSON.stringify([6, 13, 16, 17, 18].map((place) => total("room", place)));
  await until(() => totals() === "[1,1,1,0,1]", () => `all of it to be told, not ${totals()}`);
  assert.equal(total("room", 4), ofRoom(await scrape(room, bound), "rows_written_total"));
  for (const { index, blobs } of of("room")) assert.deepEqual([index, blobs[1]], [room.slice(0, 96), room]);
  const codes = of("room").map(({ blobs }) => blobs[2]).join(" ");
  assert.match(codes, /errors_total:bad_message=1/);
  assert.match(codes, /client_closes_total:1000=1/);

  assert.equal((await get(bound, "/nowhere")).status, 404);
  await until(() => total("worker", 4) === 1, "the point of the refusal");
  const refused = of("worker").find(({ doubles }) => doubles[3] === 1);
  assert.deepEqual(refused.blobs.slice(1, 3), ["", "errors_total:not_found=1"]);
  assert.ok(of("worker").every(({ index }) => index === "worker"));
});
