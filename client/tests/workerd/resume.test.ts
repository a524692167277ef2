// Connections that are lost, and servers that are killed: nothing is lost, doubled or out of order.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import WebSocket from "ws";
import type { WebSocketConstructor } from "../../src/index.ts";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { startNetwork } from "./network.ts";
import { ANONYMOUS, enter, freshRoom, hasten } from "./person.ts";

const classes: [string, WebSocketConstructor][] = [
  ["the global WebSocket", globalThis.WebSocket as unknown as WebSocketConstructor],
  ["that of ws", WebSocket as unknown as WebSocketConstructor],
];

for (const [name, Class] of classes) {
  test(`M4, M5, R1, R2, R5: through a server killed three times nothing is lost or doubled, with ${name}`, (t) =>
    throughKills(t, Class));
}

async function throughKills(t: TestContext, Class: WebSocketConstructor) {
  hasten(t);
  const server = await startServer(t, { vars: { ...ANONYMOUS, GRACE_SECONDS: 60 } });
  const options = { room: freshRoom(), WebSocket: Class, outbox: 1_000 };
  const ana = await enter(t, server, { ...options, user: "ana", state: { name: "A", n: 0 } });
  const bob = await enter(t, server, { ...options, user: "bob", state: { name: "B", n: 0 } });
  await until(() => ana.stateOf("bob") && bob.stateOf("ana"), "the states");
  const ids = [ana.room.self!.connection, bob.room.self!.connection];
  const joins = new Map([ana, bob].map((person) => [person, person.joins.length]));
  const acks: Promise<void>[] = [];
  const acked: string[] = [];
  let sent = 0;
  const say = () => {
    for (const person of [ana, bob]) {
      const data = `${person === ana ? "a" : "b"}${sent++}`;
      const ack = person.room.publish("e", data).then(() => void acked.push(data));
      // Looked at in the end.
      ack.catch(() => {});
      acks.push(ack);
    }
  };
  const talk = setInterval(say, 20);
  t.after(() => clearInterval(talk));
  for (let round = 1; round <= 3; round++) {
    const before = acked.length;
    await until(() => acked.length > before + 20, "some acks");
    await server.kill();
    await until(() => ana.room.status === "reconnecting" && bob.room.status === "reconnecting", "both to notice");
    const down = sent;
    await until(() => sent > down + 10, "publishes while it is down");
    ana.room.presence.update({ n: round });
    await server.start();
    await Promise.all([ana.is("connected"), bob.is("connected")]);
    await until(() => (bob.stateOf("ana") as { n: number }).n === round, "the state");
  }
  clearInterval(talk);
  await Promise.all(acks);
  const last = await ana.room.publish("e", "last");
  await Promise.all([ana.hears("last"), bob.hears("last")]);
  assert.equal(new Set(ana.heard).size, ana.heard.length, "each once");
  assert.deepEqual(ana.heard, bob.heard, "the same in the same order");
  assert.deepEqual([...ana.heard].sort(), [...acked, "last"].sort(), "all that was acknowledged");
  assert.equal(last.offset, ana.heard.length);
  for (const who of ["a", "b"]) {
    const numbers = ana.heard.filter((data) => `${data}`[0] === who).map((data) => Number(`${data}`.slice(1)));
    assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b), "as each of them said it");
  }
  for (const person of [ana, bob]) {
    // What joining itself brings came before.
    assert.deepEqual([person.joins.slice(joins.get(person)), person.leaves, person.gaps, person.errors], [[], [], [], []]);
    assert.ok(!person.updates.some(({ state }) => state === null), JSON.stringify(person.updates));
    assert.ok(person.lists.slice(1).every((list) => list.length === 2));
  }
  assert.deepEqual([ana.room.self!.connection, bob.room.self!.connection], ids);
  assert.deepEqual([bob.stateOf("ana"), ana.stateOf("bob")], [{ name: "A", n: 3 }, { name: "B", n: 0 }]);
}

test("M4: a publish whose ack is lost with the server counts once", async (t) => {
  hasten(t);
  const server = await startServer(t, { vars: ANONYMOUS });
  const network = await startNetwork(t, server);
  const room = freshRoom();
  const bob = await enter(t, server, { room, user: "bob" });
  const ana = await enter(t, network, { room, user: "ana" });
  for (const [round, lose] of [() => server.kill(), async () => {}].entries()) {
    network.lost.add("down");
    const text = `once ${round}`;
    const ack = ana.room.publish("e", text);
    const { offset } = (await bob.hears(text)).messages.at(-1)!;
    await lose();
    network.lost.clear();
    network.cut();
    if (round === 0) await server.start();
    assert.deepEqual((await ack).offset, offset);
    await ana.hears(text);
  }
  await ana.room.publish("e", "end");
  await bob.hears("end");
  for (const person of [ana, bob]) assert.deepEqual(person.heard, ["once 0", "once 1", "end"]);
});

test("R5: who comes back twice to a restarted room does not see others without their states in between", async (t) => {
  hasten(t);
  const server = await startServer(t, { vars: { ...ANONYMOUS, GRACE_SECONDS: 60 } });
  const [near, far] = [await startNetwork(t, server), await startNetwork(t, server)];
  const ana = await enter(t, near, { user: "ana", state: "a" });
  const bob = await enter(t, far, { user: "bob", state: "b" });
  await until(() => ana.stateOf("bob") && bob.stateOf("ana"), "the states");
  far.refusing = true;
  await server.restart();
  for (let times = 2; times <= 3; times++) {
    await until(() => ana.statuses.filter((status) => status === "connected").length === times, "ana to be back");
    // The answer tells that her state has come, too.
    await ana.room.publish("e", times);
    if (times === 2) near.cut();
  }
  far.refusing = false;
  await bob.is("connected");
  await bob.room.publish("e", "end");
  await ana.hears("end");
  assert.deepEqual([ana.updates.filter(({ state }) => state === null), ana.stateOf("bob"), ana.leaves], [[], "b", []]);
});
