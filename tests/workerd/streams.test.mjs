import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import { freshRoom, get, join, post, request } from "./client.mjs";
import { sample } from "./exposition.mjs";
import { startServer } from "./server.mjs";
import { listen } from "./stream.mjs";
import { mint, seconds } from "./token.mjs";
import { until } from "./until.mjs";

const server = await startServer(test, { vars: { GRACE_SECONDS: 1, PING_SECONDS: 2 } });
const occupancy = async (room) => (await get(server, `/room/${room}/presence`)).body.occupancy;
const say = (room, data, more) => post(server, `/room/${room}/publish`, { event: "e", data, ...more });
const stored = (stream) => stream.events.filter(({ id }) => id).map(({ data }) => data.data);

test("h7 a stream begins with a welcome without session, and carries messages", async () => {
  const room = freshRoom();
  await say(room, 1);
  const stream = await listen(server, room);
  assert.equal(stream.headers.get("content-type"), "text/event-stream");
  const [{ data: welcome, id }] = stream.events;
  assert.deepEqual([welcome.type, welcome.offset, welcome.recovered, id], ["welcome", 1, null, undefined]);
  assert.equal("session" in welcome || "members" in welcome, false);
  await say(room, 2);
  await say(room, 3, { ephemeral: true });
  await say(room, "line\nline\r\u2028");
  const last = await stream.find(({ data }) => data === "line\nline\r\u2028");
  assert.equal(last.id, `${welcome.epoch}/3`);
  assert.deepEqual(stored(stream), [2, "line\nline\r\u2028"]);
  assert.equal((await stream.find(({ data }) => data === 3)).id, undefined);
  assert.ok(stream.events.every((event) => !("event" in event)));
  stream.close();
});

test("h7 r2 Last-Event-ID resumes a stream, also across a killed server; a gap is told", async () => {
  const room = freshRoom();
  const first = await listen(server, room);
  await say(room, 1);
  const { id } = await first.find(({ data }) => data === 1);
  first.close();
  await say(room, 2);
  await server.restart();
  await say(room, 3);
  const second = await listen(server, room, { lastEventId: id });
  await second.find(({ data }) => data === 3);
  assert.equal(second.events[0].data.recovered, true);
  assert.deepEqual(stored(second), [2, 3]);
  const byQuery = await listen(server, room, { query: { epoch: id.split("/")[0], offset: 2 } });
  await byQuery.find(({ data }) => data === 3);
  assert.deepEqual([byQuery.events[0].data.recovered, stored(byQuery)], [true, [3]]);
  for (const lastEventId of ["other/1", "nonsense", `${id.split("/")[0]}/9`, `${id}x`]) {
    const third = await listen(server, room, { lastEventId });
    assert.equal(third.events[0].data.recovered, false, lastEventId);
    third.close();
  }
  for (const stream of [second, byQuery]) stream.close();
});

test("h7 a stream counts in occupancy, is no member, and leaves when it ends", async () => {
  const room = freshRoom();
  const ana = await join(server, room);
  const stream = await listen(server, room);
  assert.deepEqual(await occupancy(room), { connections: 2, users: 1 });
  await ana.settled();
  assert.deepEqual(ana.all("join"), []);
  stream.close();
  await until(async () => (await occupancy(room)).connections === 1, "the stream to be gone");
});

test("h7 presence comes with ?presence=true, to those who may see it", async () => {
  const room = freshRoom();
  const [blind, seeing, denied] = [
    await listen(server, room),
    await listen(server, room, { query: { presence: "true" } }),
    await listen(server, room, { query: { presence: "true" }, claims: { can: ["subscribe"] } }),
  ];
  assert.deepEqual(seeing.events[0].data.members, []);
  const ana = await join(server, room);
  ana.send({ type: "state", state: { x: 1 } });
  await ana.publish("e", "end");
  await ana.close();
  await seeing.find(({ type }) => type === "leave");
  assert.deepEqual(
    new Set(seeing.events.map(({ data }) => data.type)),
    new Set(["welcome", "join", "states", "message", "leave"]),
  );
  for (const stream of [blind, denied]) {
    await stream.find(({ data }) => data === "end");
    assert.deepEqual(
      stream.events.map(({ data }) => data.type),
      ["welcome", "message"],
    );
  }
  for (const stream of [blind, seeing, denied]) stream.close();
});

test("h7 a comment goes out every ping", async () => {
  const stream = await listen(server, freshRoom());
  await until(() => stream.comments >= 2, "two comments");
  stream.close();
});

test("h7 t5 removal, deletion and the token's end tell why, and end the stream", async () => {
  const [removed, deleted, expired] = [freshRoom(), freshRoom(), freshRoom()];
  const streams = [
    await listen(server, removed),
    await listen(server, deleted),
    await listen(server, expired, { claims: { exp: seconds(1) } }),
  ];
  const { body } = await post(server, `/room/${removed}/disconnect`, { user: "listener", ban_seconds: 60 });
  assert.deepEqual(body, { closed: 1 });
  await request(server, "DELETE", `/room/${deleted}`);
  for (const [index, code] of ["removed", "room_deleted", "token_expired"].entries()) {
    await streams[index].end(20_000);
    const { data } = streams[index].events.at(-1);
    assert.deepEqual([data.type, data.code], ["error", code]);
  }
});

test("h7 a stream needs subscribe, and a token", async () => {
  const room = freshRoom();
  const headers = { accept: "text/event-stream" };
  const refused = await get(server, `/room/${room}`, { headers, claims: { room, can: ["publish"] } });
  assert.deepEqual([refused.status, refused.body.error.code], [403, "forbidden"]);
  assert.equal((await get(server, `/room/${room}`, { headers, token: null })).status, 401);
});

test("n11 streams that the room has closed have ended when they are read, or when their readers are gone", async () => {
  const room = freshRoom();
  const reads = await listen(server, room);
  const query = new URLSearchParams({ token: mint({ sub: "listener", room }) });
  const deaf = http.get(`${server.url}/room/${room}?${query}`, { agent: false, headers: { accept: "text/event-stream" } });
  deaf.on("error", () => {});
  await once(deaf, "response");
  for (let sent = 0; sent < 100; sent++) await say(room, "x".repeat(60_000), { ephemeral: true });
  const { body } = await post(server, `/room/${room}/disconnect`, { user: "listener" });
  assert.deepEqual(body, { closed: 2 });
  const closed = async () => sample((await get(server, `/room/${room}/metrics`)).body, "roomful_room_closed_sockets");
  await reads.end();
  await until(async () => (await closed()) <= 1, "the one that was read to end");
  deaf.destroy();
  await until(async () => (await closed()) === 0, "the other one to end");
});
