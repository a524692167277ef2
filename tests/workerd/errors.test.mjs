import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, open, post } from "./client.mjs";
import { SECRET, startServer } from "./server.mjs";
import { reach, until } from "./until.mjs";

const server = await startServer(test, {
  vars: { RATE_PER_SECOND: 10, RATE_BURST: 20, MAX_MESSAGE_BYTES: 2_048, GRACE_SECONDS: 1 },
});
const publish = (id) => ({ type: "publish", event: "e", id, ephemeral: true });

test("e1 an error says what happened, whether to retry, what to do and to which message it belongs", async () => {
  const ana = await join(server, freshRoom());
  ana.send({ type: "publish", event: "", id: "m1" });
  const { message, hint, ...error } = await ana.next("error");
  assert.deepEqual(error, { type: "error", id: "m1", code: "bad_message", retryable: false });
  assert.match(message, /event/);
  assert.match(hint, /^Correct /);
  const { status, headers, body } = await post(server, "/room/a/publish", { event: "" });
  assert.equal(status, 400);
  assert.match(headers.get("content-type"), /json/);
  assert.deepEqual(Object.keys(body), ["error"]);
  assert.deepEqual(body.error, { code: "bad_message", message, retryable: false, hint });
});

test("e3 n6 over the rate a message is refused with retry_after, and taken after that", async () => {
  const room = freshRoom();
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
  ana.send(Array.from({ length: 30 }, (_, index) => publish(`m${index}`)));
  const refused = await ana.find({ type: "error", id: "m29" });
  const { code, retryable, retry_after } = refused;
  assert.deepEqual([code, retryable], ["rate_limited", true]);
  assert.ok(retry_after > 0 && retry_after <= 200, `${retry_after}`);
  const taken = ana.all("ack").length;
  assert.ok(taken >= 20 && taken <= 22, `${taken} taken`);
  await reach(ana.timeOf(refused) + retry_after + 5);
  ana.send(publish("again"));
  await ana.find({ type: "ack", id: "again" });
  for (let count = 0; count < 50; count++) ana.send("ping");
  await until(() => ana.all("pong").length === 50, "pongs, which cost nothing");
  await bob.find((message) => message.type === "message" && bob.all("message").length === taken + 1);
});

test("n6 the bucket survives a resume", async (t) => {
  // What comes back in the meantime is little, however long that takes.
  const slow = await startServer(t, { vars: { RATE_PER_SECOND: 1, RATE_BURST: 20 } });
  const room = freshRoom();
  const ana = await join(slow, room);
  ana.send(Array.from({ length: 20 }, (_, index) => publish(`m${index}`)));
  await ana.find({ type: "ack", id: "m19" });
  ana.drop();
  const again = await join(slow, room, { resume: { ...ana.welcome, offset: 0 } });
  assert.equal(again.connection, ana.connection);
  again.send(Array.from({ length: 20 }, (_, index) => publish(`n${index}`)));
  await again.find({ type: "error", code: "rate_limited" });
  await again.find({ id: "n19" });
  assert.ok(again.all("ack").length < 15, `${again.all("ack").length} taken`);
});

test("e3 e2 ten seconds over the rate on end are 4300, and others notice nothing", async () => {
  const room = freshRoom();
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
  const began = Date.now();
  const flood = setInterval(() => ana.socket.readyState === 1 && ana.send(Array(10).fill(publish())), 50);
  try {
    assert.equal((await ana.end(60_000)).code, 4300);
  } finally {
    clearInterval(flood);
  }
  assert.ok(Date.now() - began >= 9_500);
  assert.equal(ana.messages.at(-1).code, "rate_limited");
  assert.equal((await bob.publish("e", 1)).offset, 1);
});

test("e3 n4 a message too large is told, and the connection lives", async () => {
  const ana = await join(server, freshRoom());
  const sized = (bytes) => {
    const frame = JSON.stringify({ type: "publish", event: "e", id: "m", data: "" });
    return frame.replace('"data":""', `"data":"${"x".repeat(bytes - frame.length)}"`);
  };
  ana.send(sized(2_048));
  assert.equal((await ana.next({ type: "ack" })).offset, 1);
  for (const frame of [
    sized(2_049),
    JSON.stringify({ type: "publish", event: "e", data: "é".repeat(1_020) }),
    sized(1_000_000),
    // Each of them alone would do.
    `[${sized(1_100)},${sized(1_100)}]`,
  ]) {
    ana.send(frame);
    assert.equal((await ana.next({ type: "error" })).code, "message_too_large");
  }
  assert.equal((await ana.publish("e", 1)).offset, 2);
});

test("e2 e3 n7 a full room and a full user get 4301, and those inside notice nothing", async (t) => {
  const small = await startServer(t, { vars: { MAX_CONNECTIONS: 20, MAX_CONNECTIONS_PER_USER: 5, GRACE_SECONDS: 1 } });
  const room = freshRoom();
  const inside = await Promise.all(
    Array.from({ length: 20 }, (_, index) => join(small, room, { user: `u${index % 4}` })),
  );
  const full = await open(small, room, { user: "u9" });
  assert.equal((await full.end()).code, 4301);
  assert.equal(full.messages[0].code, "room_full");
  const plain = await open(small, room, { user: "u9", plain: true });
  assert.deepEqual([plain.refused.status, plain.refused.body.error.code], [503, "room_full"]);
  const headers = { accept: "text/event-stream" };
  assert.equal((await get(small, `/room/${room}`, { headers })).body.error.code, "room_full");
  const seen = inside.map((who) => who.messages.length);
  assert.equal((await inside[0].publish("e", 1)).offset, 1);
  for (const who of inside) {
    await who.find({ type: "message" });
    assert.equal(who.closed, undefined);
    assert.equal(who.all("leave").length, 0);
  }
  assert.ok(seen.every((count) => count > 0));
  // Whoever is inside may come back, and a place that gets free is free.
  const { epoch, session } = inside[1].welcome;
  await join(small, room, { user: "u1", resume: { epoch, session, offset: 0 } });
  await inside[2].close();
  const user = await open(small, room, { user: "u1" });
  assert.equal((await user.end()).code, 4301);
  assert.equal(user.messages[0].code, "user_full");
  assert.equal((await open(small, room, { user: "u1", plain: true })).refused.status, 429);
  await join(small, room, { user: "u9" });
});

test("e4 no error and no log holds a secret, a token or a stack", async (t) => {
  const talking = await startServer(t);
  const ana = await join(talking, "lobby");
  const { session } = ana.welcome;
  ana.send("bad");
  ana.send({ type: "auth", token: `${SECRET}.x.y` });
  await ana.next({ type: "error" });
  await ana.settled();
  const texts = [ana.frames.slice(1).join("\n")];
  for (const options of [{ token: "secret.token.here" }, { token: null }, { claims: { room: "hall", can: [] } }]) {
    for (const path of ["/room/lobby", "/room/lobby/presence", "/room/%2e%2e%2fetc"]) {
      texts.push(JSON.stringify((await get(talking, path, options)).body));
    }
  }
  await talking.kill();
  for (const text of [...texts, talking.log]) {
    for (const secret of [SECRET, session, "secret.token.here"]) assert.equal(text.includes(secret), false, text);
    assert.doesNotMatch(text, /\n\s+at |\.rs:\d|wasm-function|panicked/);
  }
});
