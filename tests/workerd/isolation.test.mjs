// A room under attack, and a quiet one beside it in the same process: it loses nothing and nobody.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { freshRoom, get, join, open } from "./client.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const server = await startServer(test);

/** Generous: nothing here is about how fast a machine is. */
const WITHIN = { within: 60_000 };

/** Two people talk in a room of their own while `attack` is under way in another. */
async function beside(attack) {
  const room = freshRoom("quiet");
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
  ana.send({ type: "state", state: { calm: true } });
  await bob.find("states");
  const awake = async () => (await get(server, `/room/${room}`)).body.awake_since;
  const since = await awake();
  let over = false;
  const talk = async () => {
    let sent = 0;
    while (!over || sent < 10) {
      ana.send({ type: "publish", event: "chat", data: sent, id: `${sent}` });
      sent++;
      await until(() => ana.closed || ana.all("ack").length === sent, "the quiet room's ack", WITHIN);
      assert.equal(ana.closed, undefined);
      await pause(20);
    }
    return sent;
  };
  const attacking = attack(freshRoom("attacked")).finally(() => {
    over = true;
  });
  const [sent] = await Promise.all([talk(), attacking]);
  await until(() => bob.all("message").length >= sent, "all messages to have come", WITHIN);
  assert.deepEqual(
    bob.all("message").map(({ data, offset }) => [data, offset]),
    Array.from({ length: sent }, (_, index) => [index, index + 1]),
  );
  const late = await join(server, room, { user: "late" });
  assert.deepEqual(
    late.welcome.members.map(({ user, state }) => [user.id, state]),
    [
      ["ana", { calm: true }],
      ["bob", null],
      ["late", null],
    ],
  );
  for (const who of [ana, bob]) assert.deepEqual([who.closed, who.all("leave")], [undefined, []]);
  assert.equal(await awake(), since, "the room was in memory all the time");
  for (const who of [ana, bob, late]) who.drop();
}

test("e4 e3 a flood of messages in one room does not reach another", async () => {
  await beside(async (room) => {
    const crowd = await Promise.all(Array.from({ length: 10 }, () => join(server, room, { user: "eve" })));
    const flood = JSON.stringify(Array(100).fill({ type: "publish", event: "flood", data: "x".repeat(100) }));
    for (let round = 0; round < 30; round++) {
      for (const { socket } of crowd) if (socket.readyState === 1) socket.send(flood);
      await pause(5);
    }
    await until(() => crowd.every((eve) => eve.all({ code: "rate_limited" }).length > 0), "the flood to be noticed", WITHIN);
    for (const eve of crowd) eve.drop();
  });
});

test("e4 n7 states of the largest size in one room do not reach another", async () => {
  await beside(async (room) => {
    const crowd = await Promise.all(Array.from({ length: 50 }, () => join(server, room, { user: "eve" })));
    const state = { type: "state", state: "x".repeat(4_000) };
    for (let round = 0; round < 20; round++) {
      for (const eve of crowd) eve.send({ ...state, id: `${round}` });
      await pause(5);
    }
    const refused = () => crowd.filter((eve) => eve.all({ code: "state_too_large" }).length === 20).length;
    // Sixteen have 4,000 bytes each before 64 KiB are full.
    await until(() => refused() === 34, () => `34 to be refused, not ${refused()}`, WITHIN);
    const late = await join(server, room, { user: "late" });
    assert.equal(late.welcome.members.length, 51, "everybody still sees everybody");
    for (const eve of [...crowd, late]) eve.drop();
  });
});

test("e4 e3 readers that do not read in one room do not reach another", async () => {
  await beside(async (room) => {
    const slow = await Promise.all(Array.from({ length: 12 }, () => join(server, room, { user: "eve" })));
    for (const { socket } of slow) socket.pause();
    const busy = await join(server, room, { user: "mallory" });
    const data = "x".repeat(60_000);
    const closed = () => server.log.split("\n").filter((line) => line.includes(room) && line.includes("too_slow")).length;
    for (let sent = 0; closed() < 4; sent++) {
      assert.ok(sent < 1_000, `only ${closed()} were closed`);
      await busy.publish("large", data, { ephemeral: true });
    }
    for (const who of [...slow, busy]) who.drop();
  });
});

test("e4 sockets that send nothing, half a request or a byte at a time reach no room", async () => {
  await beside(async () => {
    const { hostname, port } = new URL(server.url);
    const head = `GET /room/slow HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`;
    const sockets = Array.from({ length: 300 }, () => net.connect(Number(port), hostname).on("error", () => {}));
    for (const [index, socket] of sockets.entries()) if (index % 3) socket.write(head.slice(0, index % head.length));
    for (let byte = 0; byte < 50; byte++) {
      for (const [index, socket] of sockets.entries()) if (index % 3 === 2) socket.write("x");
      await pause(10);
    }
    const ana = await join(server, "beside-slow-sockets");
    assert.equal((await ana.publish("chat", "hello")).offset, 1);
    for (const socket of sockets) socket.destroy();
    ana.drop();
  });
});

test("e4 e3 an attacked room takes no more than is said, and works when it is over", async () => {
  await beside(async (room) => {
    const eves = Array.from({ length: 170 }, () => open(server, room, { user: "eve" }));
    const outcomes = await Promise.all(eves);
    const codes = outcomes.map(({ closed, welcome }) => closed?.code ?? (welcome ? 0 : undefined));
    assert.ok(codes.filter((code) => code === 0).length <= 50);
    for (const eve of outcomes) eve.drop();
    const ana = await join(server, room, { user: "mallory" });
    assert.ok((await ana.publish("chat", "over")).offset > 0);
    ana.drop();
  });
});
