// A room lives many lives: it is put out of memory whenever it is quiet, and comes back with the next event.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join } from "./client.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const LIVES = 100;

test("c3 the lives that a room has behind it are not kept in memory", async (t) => {
  const server = await startServer(t, { watched: true });
  const watch = async (what) => {
    const { status, body } = await get(server, `/watch/${what}`);
    assert.equal(status, 200, server.log);
    return body;
  };
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
