// The clients that look whether a room keeps its promises (tests/workerd/witness.mjs) notice when it does not.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import { Ledger } from "../workerd/ledger.mjs";
import { until } from "../workerd/until.mjs";
import { Witness } from "../workerd/witness.mjs";

const member = (connection) => ({ connection, user: { id: connection, info: {} }, state: null, at: 1 });
const welcome = (fields) => ({
  ...{ type: "welcome", epoch: "e", session: "s", connection: "me", offset: 0, recovered: null },
  ...{ members: [member("me")], ...fields },
});
const message = (offset, fields) => ({ type: "message", event: "e", data: 1, user: "u", offset, at: 1, ...fields });

/** The faults that are noticed by a witness who is sent these frames, a list for each connection, and then by its ledger. */
async function told(t, connections, history = []) {
  const http = createServer((_, response) => response.end(JSON.stringify({ messages: history, more: false })));
  const sockets = new WebSocketServer({ server: http, handleProtocols: () => "roomful.v1" });
  t.after(() => (sockets.close(), http.close()));
  let count = 0;
  sockets.on("connection", (socket) => {
    const frames = connections[count++] ?? [];
    for (const frame of frames) socket.send(JSON.stringify(frame));
    if (count < connections.length) socket.close(1012);
  });
  await once(http.listen(0, "127.0.0.1"), "listening");
  const ledger = new Ledger();
  const server = { url: `http://127.0.0.1:${http.address().port}` };
  const who = new Witness(server, "room", "me", ledger);
  await who.join();
  const wanted = connections.flat().length;
  await until(() => Object.values(who.told).reduce((sum, count) => sum + count, 0) === wanted, "all frames");
  await who.leave();
  if (history.length) await ledger.audit(server, "room");
  return ledger.faults.map((fault) => fault.replace("me in room: ", ""));
}

/** What is wrong, what the witness is told in each of its connections, and what it makes of that. */
const cases = [
  ["m1 a gap", [[welcome(), message(2)]], "m1 2 follows 0"],
  ["m1 a double", [[welcome(), message(1), message(1)]], "m1 1 follows 1"],
  [
    "m5 an offset that the log lost",
    [[welcome(), message(1)], [welcome({ recovered: true })]],
    "m5 was sent 1, and now the room ends at 0",
  ],
  [
    "r2 what could have been recovered",
    [[welcome()], [welcome({ offset: 5, recovered: false })]],
    "r2 5 missing, not recovered",
  ],
  [
    "r1 another connection id",
    [[welcome()], [welcome({ connection: "you", members: [member("you")], recovered: true })]],
    "r1 came back as you",
  ],
  [
    "p5 a join too many",
    [[welcome({ members: [member("me"), member("u")] }), { type: "join", member: member("u") }]],
    "p5 u joins, who is here",
  ],
  ["p5 a leave too many", [[welcome(), { type: "leave", connection: "u", user: "u" }]], "p5 u leaves, who is not here"],
  [
    "p2 a state of a stranger",
    [[welcome(), { type: "states", states: { u: 1 } }]],
    "p2 a state of u, who is not here",
  ],
  [
    "m6 an ack before its message",
    [[welcome(), { type: "ack", id: "me-1", offset: 1 }]],
    "m6 me-1 is acknowledged at 1 before 1 has come",
  ],
];
for (const [what, connections, fault] of cases) {
  test(`a witness notices ${what}`, async (t) => assert.deepEqual(await told(t, connections), [fault]));
}

test("a witness is content with a room that keeps its promises", async (t) => {
  const back = [welcome({ offset: 3, recovered: true }), message(3)];
  assert.deepEqual(await told(t, [[welcome(), message(1), message(2)], back]), []);
});

test("a ledger notices a log that differs from what was sent, lost something, or holds something twice", async (t) => {
  const sent = [[welcome(), message(1), message(2)]];
  const faults = async (history) => (await told(t, sent, history)).map((fault) => fault.slice(0, 2));
  assert.deepEqual(await faults([message(1), message(2)]), []);
  assert.deepEqual(await faults([message(1), message(2, { data: 2 })]), ["m5"]);
  assert.deepEqual(await faults([message(1)]), ["m5"]);
  const twice = [3, 4].map((offset) => message(offset, { data: { id: "x-1", n: 1 } }));
  assert.deepEqual(await faults([message(1), message(2), ...twice]), ["m4"]);
  assert.deepEqual(await faults([message(1), message(2), message(4)]), ["m1"]);
});
