// What one user may do to a room, as the runtime sees it.
import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { freshRoom, get, join, open } from "./client.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const server = await startServer(test);
const small = await startServer(test, { vars: { RATE_BURST: 3, RATE_PER_SECOND: 1, MAX_CONNECTIONS_PER_USER: 5 } });

test("n11 who connects too often is refused with 4300, or 429 where nothing was offered", async () => {
  const room = freshRoom();
  for (let count = 0; count < 30; count++) await (await join(small, room, { user: "eve" })).close();
  // More are let in while this goes on, one a second.
  const refused = await until(async () => {
    const eve = await open(small, room, { user: "eve" });
    await until(() => eve.closed || eve.welcome, "an answer");
    if (eve.closed) return eve;
    await eve.close();
    return false;
  }, "a refusal");
  const [error] = refused.messages;
  assert.deepEqual([refused.closed.code, error.type, error.code], [4300, "error", "rate_limited"]);
  assert.ok(error.retry_after > 0 && error.retry_after <= 1_000);
  const plain = await until(async () => {
    const eve = await open(small, room, { user: "eve", plain: true });
    if (!eve.refused) await eve.close();
    return eve.refused;
  }, "a refusal");
  assert.deepEqual([plain.status, plain.headers["retry-after"], plain.body.error.code], [429, "1", "rate_limited"]);
  (await join(small, room, { user: "bob" })).drop();
});

test("h3 n6 who reads too often over HTTP gets 429 and Retry-After", async () => {
  const room = freshRoom();
  const claims = { room, can: ["history", "presence"] };
  for (const path of ["history", "presence", "history?limit=1"]) {
    assert.equal((await get(small, `/room/${room}/${path}`, { user: "eve", claims })).status, 200);
  }
  const { status, headers, body } = await until(async () => {
    // More are let in while this goes on, one a second.
    const asked = Array.from({ length: 5 }, () => get(small, `/room/${room}/presence`, { user: "eve", claims }));
    return (await Promise.all(asked)).find((answer) => answer.status !== 200);
  }, "a refusal");
  assert.deepEqual([status, headers.get("retry-after"), body.error.code], [429, "1", "rate_limited"]);
  for (let count = 0; count < 10; count++) assert.equal((await get(small, `/room/${room}/history`)).status, 200);
});

test("t5 the tenth token that is refused within a minute ends the connection", async () => {
  const eve = await join(server, freshRoom(), { user: "eve" });
  for (let count = 0; count < 10; count++) eve.send({ type: "auth", token: "bad", id: `${count}` });
  assert.equal((await eve.end()).code, 4503);
  assert.equal(eve.all({ code: "unauthorized" }).length, 10);
});

test("e3 a user whose slow sockets have not ended is refused, until they have", async () => {
  const room = freshRoom();
  const slow = await Promise.all(Array.from({ length: 5 }, () => join(server, room, { user: "eve" })));
  for (const { socket } of slow) socket.pause();
  const busy = await join(server, room, { user: "mallory" });
  const closed = () => server.log.match(/"user":"eve","error":"too_slow"/g)?.length ?? 0;
  for (let sent = 0; closed() < 5; sent++) {
    assert.ok(sent < 1_500, `only ${closed()} were closed`);
    await busy.publish("large", "x".repeat(60_000), { ephemeral: true });
  }
  const refused = await open(server, room, { user: "eve" });
  assert.equal((await refused.end()).code, 4301);
  assert.equal(refused.messages[0].code, "user_full");
  const [reads, ...others] = slow;
  // One reads on, the others vanish: either is an end.
  reads.socket.resume();
  assert.equal((await reads.end()).code, 4101);
  for (const one of others) one.drop();
  await until(async () => {
    const eve = await open(server, room, { user: "eve" });
    await until(() => eve.closed || eve.welcome, "an answer");
    return eve.socket.readyState === WebSocket.OPEN && eve.welcome;
  }, "eve to be let in again");
});
