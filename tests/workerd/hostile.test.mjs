import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { freshRoom, get, join, open, post, tokenFor } from "./client.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const server = await startServer(test, { vars: { GRACE_SECONDS: 1, MAX_MESSAGE_BYTES: 1_048_576 } });

/** Somebody who has been in the room all along, and must not notice what `attack` does. */
async function undisturbed(attack) {
  const room = freshRoom("hostile");
  const bob = await join(server, room, { user: "bob" });
  const { body: before } = await get(server, `/room/${room}`);
  await bob.publish("e", "before", { id: "before" });
  const eve = await join(server, room, { user: "eve" });
  // A room of which nobody wants anything would be put away, and that is no harm.
  const awake = setInterval(() => bob.send({ type: "fence" }), 1_000);
  try {
    await attack(eve, room, bob);
  } finally {
    clearInterval(awake);
  }
  assert.equal(bob.closed, undefined);
  const after = await bob.publish("e", "after");
  assert.equal(after.offset, (await get(server, `/room/${room}`)).body.offset);
  const { body } = await get(server, `/room/${room}`);
  assert.equal(body.awake_since, before.awake_since, "the room has lived on");
  const { messages } = (await get(server, `/room/${room}/history?after=0`)).body;
  assert.equal(messages[0].data, "before");
}

test("c6 e4 nesting of a million levels", () =>
  undisturbed(async (eve) => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ]) {
      const depth = 1_000_000 / open.length;
      for (const text of [
        open.repeat(depth),
        open.repeat(depth) + "1" + close.repeat(depth / 5),
        `{"type":"publish","event":"e","data":${open.repeat(depth / 5)}1${close.repeat(depth / 5)}}`,
        `{"type":"state","patch":{"a":${open.repeat(100)}1${close.repeat(100)}}}`,
      ]) {
        eve.send(text);
        assert.match((await eve.next({ type: "error" })).code, /^(bad_message|message_too_large)$/);
      }
    }
  }));

test("c6 e4 lone surrogates, duplicate keys and control characters", () =>
  undisturbed(async (eve, room, bob) => {
    const frames = [
      '{"type":"publish","event":"\\ud800","data":1}',
      '{"type":"publish","event":"e","data":"\\udc00\\ud800"}',
      '{"type":"publish","event":"e","data":{"\\ud83d":1}}',
      '{"type":"publish","type":"state","event":"e"}',
      '{"type":"publish","event":"e","\\u0065vent":"f"}',
      '{"type":"state","state":"\\ud800"}',
      '{"type":"publish","event":"e","data":"\u0001"}',
    ];
    for (const frame of frames) {
      eve.send(frame);
      assert.equal((await eve.next({ type: "error" })).code, "bad_message", frame);
    }
    // Within data a key may stand twice: it is passed on as it is.
    eve.send('{"type":"publish","event":"e","data":{"a":1,"a":2,"__proto__":{"x":1}},"__proto__":{"id":"p"}}');
    await bob.find({ type: "message", offset: 2 });
    assert.ok(bob.frames.join().includes('"data":{"a":1,"a":2,"__proto__":{"x":1}}'));
  }));

test("c6 e4 m1 numbers beyond what a double holds", () =>
  undisturbed(async (eve, room, bob) => {
    const number = `9007199254740993${"0".repeat(400)}.${"1".repeat(400)}e999999999`;
    eve.send(`{"type":"publish","event":"e","data":${number},"id":"big"}`);
    await eve.next({ type: "ack", id: "big" });
    await bob.find({ type: "message", offset: 2 });
    assert.ok(bob.frames.join().includes(number));
    for (const bound of ["9007199254740993", "1e3", "-1", "1.0", "99999999999999999999999"]) {
      eve.send(`{"type":"history","id":"h","after":${bound}}`);
      assert.equal((await eve.next({ type: "error", id: "h" })).code, "bad_message", bound);
      const { status } = await get(server, `/room/${room}/history?after=${bound}`);
      assert.equal(status, 400, bound);
    }
    eve.send('{"type":"history","id":"h","after":9007199254740991,"limit":500}');
    assert.deepEqual((await eve.next({ type: "history" })).messages, []);
    for (const ban of ["1e999", "-1", "99999999999999999999"]) {
      const { status } = await post(server, `/room/${room}/disconnect`, `{"user":"nobody","ban_seconds":${ban}}`);
      assert.equal(status, 400, ban);
    }
    assert.equal(
      (await post(server, `/room/${room}/disconnect`, '{"user":"nobody","ban_seconds":9007199254740991}')).status,
      200,
    );
    assert.equal((await open(server, room, { user: "nobody", plain: true })).refused.status, 403);
  }));

test("e3 e4 a frame of 32 MiB is too large, and one byte more ends its connection alone", () =>
  undisturbed(async (eve, room) => {
    const frame = "x".repeat(32 * 1024 * 1024);
    eve.send(frame);
    assert.equal((await eve.next({ type: "error" })).code, "message_too_large");
    await eve.publish("e", "still here");
    const mallory = await join(server, room, { user: "mallory" });
    mallory.send(`${frame}x`);
    // The runtime's own limit; whether its close frame gets through before the rest of the frame is a matter of luck.
    assert.ok([1006, 1009].includes((await mallory.end(60_000)).code));
    await eve.find({ type: "leave", user: "mallory" });
  }));

test("e4 a hundred of everything at once", () =>
  undisturbed(async (eve, room) => {
    const many = Array.from({ length: 100 }, (_, index) => `user:${"x".repeat(120)}${index}`);
    eve.send({ type: "publish", event: "e", to: many, data: 1, id: "many" });
    await eve.next({ type: "ack", id: "many" });
    eve.send({ type: "publish", event: "e", to: [...many, "one more"], id: "more" });
    assert.equal((await eve.next({ id: "more" })).code, "bad_message");
    eve.send(Array(100).fill({ type: "state", patch: { a: 1 } }));
    eve.send(`[${Array(101).fill('{"type":"state","state":1}').join()}]`);
    assert.equal((await eve.next({ type: "error" })).code, "bad_message");
    const keys = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, index]));
    eve.send({ ...keys, type: "publish", event: "e", data: keys, id: "keys" });
    await eve.next({ type: "ack", id: "keys" });
    const except = Array(101).fill("a");
    assert.equal((await post(server, `/room/${room}/publish`, { event: "e", except })).status, 400);
    // A user of many connections, each with the longest of names: what the runtime calls tags has limits of its own.
    const user = "\u{10FFFF}".repeat(128);
    const crowd = await Promise.all(Array.from({ length: 12 }, () => join(server, room, { user })));
    for (const who of crowd) await who.close();
  }));

test("e4 handshakes of all kinds get an answer", () =>
  undisturbed(async (eve, room) => {
    const token = tokenFor("ana", room);
    const queries = [
      `token=${token}&epoch=%ff&offset=%zz&session=%00`,
      `token=${token}&epoch=&offset=&session=`,
      `token=${token}&token=x&offset=1&offset=2`,
      `${"a=1&".repeat(1_500)}token=${token}`,
      `token=${token}&epoch=${"e".repeat(4_000)}&session=${"s".repeat(4_000)}`,
    ];
    for (const query of queries) {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/room/${room}?${query}`, {
        perMessageDeflate: false,
      });
      const first = await new Promise((resolve, reject) => {
        socket.once("message", (text) => resolve([JSON.parse(text)].flat()[0]));
        socket.once("error", reject);
      });
      assert.equal(first.type, "welcome", query.slice(0, 80));
      assert.ok([null, false].includes(first.recovered));
      socket.terminate();
    }
    const notAnUpgrade = await get(server, `/room/${room}`, {
      token,
      headers: { "sec-websocket-protocol": "roomful.v2" },
    });
    assert.equal(notAnUpgrade.status, 400);
    const call = Buffer.from('{"room":"x","grant":"","ask":"Delete"}').toString("base64url");
    const forged = await get(server, `/room/${room}/presence`, { token, headers: { "roomful-call": call } });
    assert.equal(forged.status, 200);
  }));

/** A close frame as a client sends it, with a code that no library would let pass. */
function closeFrame(code) {
  const frame = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0, 0]);
  frame.writeUInt16BE(code, 6);
  return frame;
}

test("e4 r4 a socket that ends with a code that nobody may say ends", () =>
  undisturbed(async (eve, room) => {
    for (const code of [1000, 1004, 1005, 1006, 1015, 0, 999, 5000, 65_535]) {
      const mal = await join(server, room, { user: "mal" });
      mal.socket._socket.write(closeFrame(code));
      await until(
        () => mal.closed,
        () => `the end of a socket that said ${code}`,
      );
    }
  }));
