// A room lives many lives: it is put out of memory whenever it is quiet, and comes back with the next event.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join } from "./client.mjs";
import { sample } from "./exposition.mjs";
import { startServer } from "./server.mjs";
import { sleeps, until } from "./until.mjs";

const LIVES = 100;

const watcher = (server) => async (what) => {
  const { status, body } = await get(server, `/watch/${what}`);
  assert.equal(status, 200, server.log);
  return body;
};

test("c3 the lives that a room has behind it are not kept in memory", async (t) => {
  const server = await startServer(t, { watched: true });
  const watch = watcher(server);
  const room = freshRoom();
  const ana = await join(server, room);
  const live = async () => {
    for (let count = 0; count < LIVES; count++) {
      await watch(`evict/${room}`);
      await ana.publish("e", count, { ephemeral: true });
    }
    // One life is going on, and one more may still be on some stack.
    const collected = async () => {
      const now = await watch("collect");
      return now.rooms <= 2 && now;
    };
    return until(collected, `${LIVES} lives to be collected`);
  };
  const before = await live();
  const after = await live();
  assert.ok(after.wasm - before.wasm <= 131_072, `wasm had ${before.wasm} bytes, and now has ${after.wasm}`);
});

test("c3 a new life ends the one before, without waiting for the garbage collector", async (t) => {
  const server = await startServer(t, { watched: true });
  const watch = watcher(server);
  const room = freshRoom();
  const ana = await join(server, room);
  // Each life knows them again with the first message that has an id: some kilobytes.
  const said = Array.from({ length: 150 }, (_, count) => ana.publish("e", count, { id: `a publish id of some length, no. ${count}` }));
  await Promise.all(said);
  const live = async (lives) => {
    for (let count = 0; count < lives; count++) {
      await watch(`evict/${room}`);
      await ana.publish("e", count, { id: `${lives}-${count}` });
    }
    return (await watch("memory")).wasm;
  };
  const before = await live(10);
  const after = await live(LIVES);
  assert.ok(after - before <= 1_048_576, `wasm had ${before} bytes, and now has ${after}`);
});

test("n11 sockets that the room has closed count until they end, in its later lives too, and keep it awake in none", async (t) => {
  const server = await startServer(t);
  const room = freshRoom();
  const left = async () => sample((await get(server, `/room/${room}/metrics`)).body, "roomful_room_closed_sockets");
  const eves = await Promise.all([1, 2, 3].map(() => join(server, room, { user: "eve" })));
  t.after(() => eves.forEach((eve) => eve.drop()));
  const [, second, third] = eves;
  for (const { socket } of eves) {
    // She does not read that she is closed, and so does not close.
    socket.pause();
    socket.send(Buffer.from([0]));
  }
  await until(async () => (await left()) === 3, "her sockets to be closed");
  // In the first life after it the runtime still knows that they are closed.
  for (let lives = 0; lives < 3; lives++) {
    await sleeps(async () => (await get(server, `/room/${room}`)).body.awake_since);
    assert.equal(await left(), 3);
  }
  // What she still sends is nobody's, and ends nothing.
  for (const { socket } of eves) socket.send(JSON.stringify({ type: "publish", event: "chat" }));
  second.drop();
  third.socket.resume();
  assert.equal((await third.end()).code, 4508);
  await until(async () => (await left()) === 1, "the others to end");
  assert.equal((await get(server, `/room/${room}`)).body.offset, 0);
});
