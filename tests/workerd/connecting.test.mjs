import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, placeOf, post } from "./client.mjs";
import { startServer } from "./server.mjs";
import { reach, until } from "./until.mjs";

const server = await startServer(test, { vars: { GRACE_SECONDS: 1 } });
const quick = await startServer(test, { vars: { GRACE_SECONDS: 600, PING_SECONDS: 1 } });

test("c1 text frames hold one message or an array of them, in order", async () => {
  const ana = await join(server, freshRoom());
  ana.send({ type: "publish", event: "e", data: 1 });
  ana.send([2, 3, 4].map((data) => ({ type: "publish", event: "e", data })));
  ana.send([]);
  await ana.settled();
  assert.deepEqual(
    ana.all("message").map(({ data }) => data),
    [1, 2, 3, 4],
  );
  for (const frame of ana.frames) assert.match(frame, /^[[{]/);
});

test("c1 e2 a binary frame ends the connection with 4508 and nobody else's", async () => {
  const room = freshRoom();
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
  ana.socket.send(Buffer.from('{"type":"publish","event":"e"}'));
  assert.equal((await ana.end()).code, 4508);
  assert.equal(ana.messages.at(-1).code, "binary_frame");
  await bob.find({ type: "leave", connection: ana.connection });
  await bob.settled();
  assert.equal(bob.all("message").length, 0);
  // Those who offered no subprotocol have no other frames either.
  const plain = await join(server, room, { user: "plain", plain: true });
  plain.socket.send(Buffer.from([1]));
  assert.equal((await plain.end()).code, 4508);
});

test("c2 the first message is a welcome with all that a client needs", async () => {
  const room = freshRoom();
  const ana = await join(server, room, { claims: { info: { name: "Ana" } } });
  await ana.publish("chat", 1);
  const bob = await join(server, room, { user: "bob" });
  const { connection, session, epoch, expires_in, members, ...rest } = bob.messages[0];
  assert.match(connection, /^[a-z0-9]{1,10}$/);
  assert.ok(session.length >= 32);
  assert.match(epoch, /^[a-z0-9]+$/);
  assert.ok(expires_in > 500_000 && expires_in <= 600_000);
  assert.deepEqual(rest, {
    type: "welcome",
    protocol: 1,
    room,
    user: { id: "bob", info: {} },
    can: ["subscribe", "publish", "presence", "history"],
    offset: 1,
    recovered: null,
    occupancy: { connections: 2, users: 2 },
    ping: 25_000,
    limits: { message_bytes: 65_536, state_bytes: 4_096, rate_per_second: 100 },
  });
  assert.deepEqual(
    members.map((member) => [member.connection, member.user, member.state]),
    [
      [ana.connection, { id: "ana", info: { name: "Ana" } }, null],
      [connection, { id: "bob", info: {} }, null],
    ],
  );
  assert.ok(members.every(({ at }) => Math.abs(Date.now() - at) < 60_000));
  assert.doesNotMatch(ana.frames.join(), new RegExp(session), "a session's secret is its owner's alone");
});

test("c2 without presence one neither sees nor is seen, and counts as a connection alone", async () => {
  const room = freshRoom();
  const ana = await join(server, room);
  const ghost = await join(server, room, { user: "ghost", claims: { can: ["subscribe", "publish"] } });
  assert.equal("members" in ghost.welcome, false);
  ana.send({ type: "state", state: { x: 1 } });
  await ghost.publish("chat", "boo");
  await ana.find({ type: "message", data: "boo" });
  ghost.send({ type: "state", state: 1 });
  assert.equal((await ghost.next({ type: "error" })).code, "forbidden");
  const { body } = await get(server, `/room/${room}/presence`);
  assert.deepEqual([body.occupancy, body.members.length], [{ connections: 2, users: 1 }, 1]);
  await ghost.close();
  await ana.settled();
  assert.deepEqual(ana.all("join").concat(ana.all("leave")), []);
  assert.deepEqual(ghost.all("states"), []);
});

test("c2 a connection id is never used twice in an epoch, whatever dies in between", async () => {
  const room = freshRoom();
  const ids = new Set();
  for (let round = 0; round < 4; round++) {
    const crowd = await Promise.all(Array.from({ length: 10 }, () => join(server, room)));
    for (const { connection } of crowd) ids.add(connection);
    if (round % 2) await server.restart();
    else for (const recorder of crowd) recorder.drop();
  }
  assert.equal(ids.size, 40);
});

test("c3 ping gets pong, and other texts that look like it are messages", async () => {
  const ana = await join(server, freshRoom());
  ana.send("ping");
  await ana.next("pong");
  assert.equal(ana.frames.at(-1), "pong");
  for (const text of [" ping", "Ping", '"ping"']) {
    ana.send(text);
    assert.equal((await ana.next({ type: "error" })).code, "bad_message");
  }
  // Protocol pings are the runtime's matter.
  let pongs = 0;
  ana.socket.on("pong", () => pongs++);
  ana.socket.ping();
  await until(() => pongs === 1, "a protocol pong");
});

test("c4 e2 silence for 4 pings ends a connection that offered roomful.v1 with 4102, and no other", async () => {
  const room = freshRoom();
  const pinging = await join(quick, room, { user: "pinging" });
  const pings = setInterval(() => pinging.send("ping"), 250);
  try {
    const plain = await join(quick, room, { user: "plain", plain: true });
    const beginning = Date.now();
    const silent = await join(quick, room, { user: "silent" });
    assert.equal(silent.welcome.ping, 1_000);
    assert.equal((await silent.end()).code, 4102);
    const lived = Date.now() - beginning;
    assert.ok(lived > 3_900, `${lived} ms`);
    // No grace after 4102: its end would be far away.
    await pinging.find({ type: "leave", connection: silent.connection });
    await reach(beginning + 9_000);
    assert.deepEqual([pinging.closed, plain.closed], [undefined, undefined]);
    assert.equal((await plain.publish("chat", 1)).offset, 1);
  } finally {
    clearInterval(pings);
  }
});

test("c5 an unknown type gets an error and unknown fields are ignored", async () => {
  const ana = await join(server, freshRoom());
  ana.send({ type: "dance", id: "d1" });
  assert.deepEqual(await ana.next("error"), {
    type: "error",
    id: "d1",
    code: "unknown_type",
    message: 'unknown type "dance"',
    retryable: false,
    hint: "Correct the type, or deploy a server that knows it.",
  });
  ana.send({ type: "publish", event: "e", data: 1, colour: "red", id: "p1" });
  assert.equal((await ana.next("ack")).offset, 1);
  assert.equal("colour" in (await ana.find("message")), false);
});

test("c6 what is malformed gets bad_message, and the rest of the frame is taken", async () => {
  const deep = (depth) => "[".repeat(depth) + "]".repeat(depth);
  const publish = (rest) => `{"type":"publish","event":"e",${rest}}`;
  const frames = [
    "",
    "nonsense",
    "7",
    "{",
    '{"type":"publish","event":"e","data":1}x',
    '{"type":7}',
    publish('"data":1,"data":2'),
    publish('"data":"\\ud800"'),
    publish(`"data":${deep(64)}`),
    publish('"ephemeral":"yes"'),
    '{"type":"state","state":1,"patch":{"a":1}}',
    '{"type":"state"}',
    '{"type":"publish","event":"roomful:x"}',
    JSON.stringify(Array(101).fill({ type: "publish", event: "e" })),
  ];
  for (const frame of frames) {
    const ana = await join(server, freshRoom());
    ana.send(frame);
    const error = await ana.next({ type: "error" });
    assert.equal(error.code, "bad_message", frame.slice(0, 80));
    assert.ok(error.message.length > 5);
    assert.equal((await ana.publish("chat", "well")).offset, 1, frame.slice(0, 80));
    await ana.close();
  }
  const bob = await join(server, freshRoom());
  bob.send(`[${publish('"data":1')},7,${publish('"data":2,"id":7')},${publish(`"data":${deep(63)},"id":"last"`)}]`);
  assert.equal((await bob.next("ack")).offset, 2);
  assert.equal(bob.all({ type: "error", code: "bad_message" }).length, 2);
});

test("c6 e2 the tenth bad message within a minute ends the connection with 4503", async () => {
  const ana = await join(server, freshRoom());
  for (let count = 0; count < 9; count++) ana.send("bad");
  await ana.settled();
  assert.equal(ana.closed, undefined);
  ana.send("bad");
  assert.equal((await ana.end()).code, 4503);
  assert.equal(ana.all({ code: "bad_message" }).length, 10);
  assert.equal(ana.messages.at(-1).code, "bad_messages");
});

test("c2 r1 other connections never learn a session's secret, nor does HTTP", async () => {
  const room = freshRoom();
  const ana = await join(server, room);
  const { session } = placeOf(ana);
  await post(server, `/room/${room}/publish`, { event: "e" });
  for (const path of ["", "/presence", "/history"]) {
    const { body } = await get(server, `/room/${room}${path}`);
    assert.equal(JSON.stringify(body).includes(session), false, path);
  }
});
