import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, open, post, request } from "./client.mjs";
import { startServer } from "./server.mjs";
import { mint } from "./token.mjs";

const server = await startServer(test);
const everywhere = { claims: { room: "*", can: ["admin"] } };

test("n1 a room's name of 128 characters works in every request", async () => {
  const room = "~aZ0_-.:@".padEnd(128, "x");
  const path = `/room/${room}`;
  const ana = await join(server, room, { user: "ana" });
  assert.equal(ana.welcome.room, room);
  assert.equal((await post(server, `${path}/publish`, { event: "chat", data: 1 })).body.offset, 1);
  await ana.find({ type: "message", offset: 1 });
  const batch = await post(server, "/publish", { messages: [{ room, event: "chat", data: 2 }] });
  assert.equal(batch.body.results[0].offset, 2);
  assert.equal((await get(server, `${path}/presence`)).body.occupancy.connections, 1);
  assert.equal((await get(server, `${path}/history`)).body.messages.length, 2);
  assert.equal((await get(server, path)).body.room, room);
  assert.deepEqual((await post(server, `${path}/disconnect`, { user: "ana" })).body, { closed: 1 });
  assert.equal((await ana.end()).code, 4505);
  assert.equal((await request(server, "DELETE", path)).status, 200);
  assert.equal((await get(server, path)).body.offset, 0);
});

test("n1 a name is percent-decoded once", async () => {
  const room = freshRoom("name");
  await post(server, `/room/${room}/publish`, { event: "chat", data: 1 });
  const encoded = [...room].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join("");
  const { body } = await get(server, `/room/${encoded}`);
  assert.deepEqual([body.room, body.offset], [room, 1]);
});

test("n1 any other name is invalid_room", async () => {
  for (const name of ["a%2Fb", "a%252Fb", "a%20b", "a%00b", "caf%C3%A9", "%ff", "%zz", "a*", "x".repeat(129)]) {
    for (const path of [`/room/${name}`, `/room/${name}/presence`]) {
      const { status, body } = await get(server, path);
      assert.deepEqual([status, body.error.code], [400, "invalid_room"], path);
    }
    const plain = await open(server, name, { plain: true, token: mint({ sub: "ana", room: "*" }) });
    assert.deepEqual([plain.refused.status, plain.refused.body.error.code], [400, "invalid_room"], name);
  }
  const browser = await open(server, "a%2Fb", { token: mint({ sub: "ana", room: "*" }) });
  assert.equal((await browser.end()).code, 4509);
  assert.equal(browser.messages[0].code, "invalid_room");
  const { results } = (await post(server, "/publish", { messages: [{ room: "a/b", event: "e" }] }, everywhere)).body;
  assert.equal(results[0].error.code, "invalid_room");
});

test("n2 names of events, ids and lists of recipients have their limits", async () => {
  const ana = await join(server, freshRoom("name"));
  const refused = async (fields) => {
    ana.send({ type: "publish", event: "chat", ...fields });
    return (await ana.next({ type: "error" })).code;
  };
  for (const event of ["", "x".repeat(129), "a\u0000b", "a\nb", "roomful:x", 7]) {
    assert.equal(await refused({ event }), "bad_message", JSON.stringify(event));
  }
  const bob = await join(server, freshRoom("name"));
  const accepted = { event: "😀".repeat(128), id: "i".repeat(64), data: 1 };
  assert.equal((await bob.publish(accepted.event, 1, { id: accepted.id })).offset, 1);
  assert.equal((await bob.next({ type: "message" })).event, accepted.event);
  bob.send({ type: "publish", event: "chat", id: "i".repeat(65) });
  assert.equal((await bob.next({ type: "error" })).code, "bad_message");
  bob.send({ type: "publish", event: "chat", to: Array(101).fill("user:ana") });
  assert.equal((await bob.next({ type: "error" })).code, "bad_message");
  bob.send({ type: "publish", event: "chat", to: Array(100).fill(bob.connection), data: 1 });
  await bob.next({ type: "message", private: true });
});

test("n3 user ids of 128 characters and infos of 2,048 bytes pass, and no more", async () => {
  const room = freshRoom("name");
  const info = { name: "é".repeat(1_000) };
  info.pad = "x".repeat(2_048 - Buffer.byteLength(JSON.stringify({ ...info, pad: "" })));
  assert.equal(Buffer.byteLength(JSON.stringify(info)), 2_048);
  const user = "😀".repeat(128);
  const ana = await join(server, room, { user, claims: { info } });
  assert.deepEqual(ana.welcome.user, { id: user, info });
  assert.deepEqual(ana.welcome.members[0].user, { id: user, info });
  const longer = { ...info, pad: `${info.pad}x` };
  for (const [sub, more] of [
    ["a".repeat(129), {}],
    ["", {}],
    ["a\nb", {}],
    ["ana", longer],
    ["ana", []],
  ]) {
    const { status, body } = await get(server, `/room/${room}`, { user: sub, claims: { info: more } });
    assert.deepEqual([status, body.error.code], [401, "invalid_token"], sub);
  }
});
