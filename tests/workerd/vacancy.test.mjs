import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { freshRoom, get, join, open, placeOf, post } from "./client.mjs";
import { tables, withDatabase } from "./database.mjs";
import { startServer } from "./server.mjs";
import { reach, sleeps, until } from "./until.mjs";

// A room that is left waits for four seconds.
const vars = { HISTORY_SECONDS: 1, PING_SECONDS: 1, GRACE_SECONDS: 0 };
const summary = async (server, room) => (await get(server, `/room/${room}`)).body;

/** Waits until the room has erased itself; asking does not keep it. */
const vacated = (server, times = 1) =>
  until(() => server.log.split('"event":"vacated"').length > times, "a room to erase itself");

// Most of it is waiting.
suite("vacancy", { concurrency: true }, () => {
  test("n9 an abandoned room leaves nothing on disk, and is let go from memory", async (t) => {
    const server = await startServer(t, { vars });
    const room = freshRoom();
    const ana = await join(server, room);
    assert.equal((await ana.publish("chat", 1)).offset, 1);
    await ana.close();
    await vacated(server);
    const after = await summary(server, room);
    assert.equal(after.created_at, null);
    assert.notEqual(after.epoch, ana.welcome.epoch);
    await sleeps(async () => (await summary(server, room)).awake_since);
    const again = await join(server, room, { resume: placeOf(ana) });
    assert.deepEqual([again.welcome.recovered, again.welcome.offset], [false, 0]);
    assert.equal((await again.publish("chat", 2)).offset, 1);
    await again.close();
    await vacated(server, 2);
    await server.kill();
    withDatabase(server, (database) => {
      const names = tables(database).filter((name) => !name.startsWith("_cf_"));
      assert.deepEqual(names, []);
      for (const name of tables(database)) {
        assert.deepEqual(database.prepare(`SELECT * FROM "${name}"`).all(), [], `${name}: no alarm, nothing`);
      }
    });
  });

  test("n9 a room that only HTTP uses erases itself too, after a crash as well", async (t) => {
    const server = await startServer(t, { vars: { ...vars, HISTORY_SECONDS: 6 } });
    const room = freshRoom();
    for (const offset of [1, 2, 3]) {
      assert.equal((await post(server, `/room/${room}/publish`, { event: "e" })).body.offset, offset);
      await server.restart();
    }
    await vacated(server);
    assert.equal((await post(server, `/room/${room}/publish`, { event: "e" })).body.offset, 1);
  });

  test("n9 h4 unexpired bans outlive the room, and go when the last one has ended", async (t) => {
    const server = await startServer(t, { vars });
    const room = freshRoom();
    await post(server, `/room/${room}/disconnect`, { user: "eve", ban_seconds: 20 });
    const ended = Date.now() + 20_000;
    await vacated(server);
    assert.equal((await (await open(server, room, { user: "eve" })).end()).code, 4502);
    await server.kill();
    withDatabase(server, (database) => {
      assert.deepEqual(database.prepare("SELECT user FROM bans").all().length, 1);
      assert.deepEqual(database.prepare("SELECT * FROM meta").all(), []);
    });
    await server.start();
    await reach(ended);
    await until(
      async () => {
        // What the room has to do for it takes a moment, and more on a busy machine.
        await reach(Date.now() + 2_000);
        await server.kill();
        const gone = withDatabase(server, (database) => !tables(database).includes("bans"));
        await server.start();
        return gone;
      },
      "the ban to be erased",
      { within: 60_000 },
    );
    const eve = await join(server, room, { user: "eve" });
    await eve.close();
  });
});
