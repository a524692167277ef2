import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import WebSocket from "ws";
import { at } from "../../scripts/project.mjs";
import { Recorder, freshRoom, get, join, open, post, tokenFor } from "./client.mjs";
import { tables, withDatabase } from "./database.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

// What release 0.1 left on disk: see tests/room/stored.rs.
const form = JSON.parse(readFileSync(at("tests/fixtures/stored-1.json"), "utf8"));
const schema = readFileSync(at("tests/fixtures/stored-1.sql"), "utf8");

const rows = (database, table) => database.prepare(`SELECT * FROM ${table}`).all();
const everything = (server) =>
  withDatabase(server, (database) =>
    Object.fromEntries(tables(database).flatMap((name) => (name.startsWith("_cf_") ? [] : [[name, rows(database, name)]]))),
  );

/** Puts what a release left in the place of what a killed server has. */
function leave(server) {
  withDatabase(server, (database) => {
    for (const name of tables(database)) if (!name.startsWith("_cf_")) database.exec(`DROP TABLE ${name}`);
    database.exec(schema);
    const insert = (table, ...values) =>
      database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => "?").join(", ")})`).run(...values);
    const { epoch, key, created_at, crowded } = form.meta;
    insert("meta", 1, epoch, Uint8Array.from(key), created_at, Number(crowded));
    for (const { connection, user, info, state, at } of form.members) {
      insert("members", Number.parseInt(connection, 36), user, info, state, at);
    }
    for (const [user, until] of Object.entries(form.bans)) insert("bans", user, until);
    for (const { first, last, at, total, bytes, ids, skips, messages } of form.log) {
      insert("log", first, last, at, total, bytes, ids, skips, messages);
    }
  });
}

/** A server, killed, with a room in which a release was last. */
async function left(t) {
  const server = await startServer(t);
  const room = freshRoom();
  assert.equal((await post(server, `/room/${room}/publish`, { event: "e" })).status, 200);
  await server.kill();
  leave(server);
  return { server, room };
}

const place = (user, offset) => ({ epoch: form.meta.epoch, offset, session: form.sessions[user] });

suite("stored forms", { concurrency: true }, () => {
  test("m4 m5 r1 r2 what a release left in its tables is read whole, and written in the same form", async (t) => {
    const { server, room } = await left(t);
    const columns = (database) => tables(database).map((name) => [name, database.prepare(`PRAGMA table_info(${name})`).all()]);
    const before = withDatabase(server, columns);
    await server.start();
    const bob = await join(server, room, { user: "bob", resume: place("bob", 1) });
    assert.equal(bob.welcome.recovered, true);
    const shown = bob.welcome.members.map(({ user, state }) => [user.id, state]);
    assert.deepEqual(shown, [["ana", null], ["bob", "here"], ["plain", null]]);
    await bob.find({ type: "message", offset: 5 });
    assert.deepEqual(bob.all("message").map(({ offset }) => offset), [2, 3, 4, 5]);
    const ana = await join(server, room, { resume: place("ana", 0) });
    await ana.settled();
    assert.deepEqual(ana.all("skip").length + ana.all("message").length, 5);
    assert.equal((await ana.publish("chat", 1, { id: "a1" })).offset, 1);
    assert.equal((await ana.publish("chat", 1, { id: "a\n2" })).offset, 2);
    assert.equal((await post(server, `/room/${room}/publish`, { event: "e", id: "o1" })).body.offset, 4);
    assert.equal((await (await open(server, room, { user: "eve" })).end()).code, 4502);
    assert.equal((await ana.publish("chat", 1, { id: "new" })).offset, 6);
    await server.restart();
    const again = await join(server, room, { resume: place("ana", 5) });
    assert.deepEqual([again.welcome.recovered, (await again.find("message")).offset], [true, 6]);
    await server.kill();
    assert.deepEqual(withDatabase(server, columns), before, "an older release finds its tables again");
  });

  test("m4 n9 tables are made all or none: what fails in the middle can be done again", async (t) => {
    const { server, room } = await left(t);
    withDatabase(server, (database) => {
      for (const name of tables(database)) if (!name.startsWith("_cf_") && name !== "log") database.exec(`DROP TABLE ${name}`);
    });
    await server.start();
    const publish = () => post(server, `/room/${room}/publish`, { event: "e" });
    assert.deepEqual([(await publish()).status, (await publish()).status], [503, 503], "a table is in the way");
    await server.kill();
    withDatabase(server, (database) => {
      assert.deepEqual(tables(database).filter((name) => !name.startsWith("_cf_")), ["log"]);
      database.exec("DROP TABLE log");
    });
    await server.start();
    assert.equal((await publish()).body.offset, 1);
  });

  test("e4 m5 a room of a newer schema refuses, changes nothing, and is there when the newer version is back", async (t) => {
    const { server, room } = await left(t);
    withDatabase(server, (database) => database.exec("UPDATE roomful SET version = 99"));
    const before = everything(server);
    await server.start();
    const refused = await (await open(server, room, { resume: place("ana", 1) })).end();
    assert.equal(refused.code, 4103, "try again");
    for (const attempt of [
      post(server, `/room/${room}/publish`, { event: "e" }),
      post(server, `/room/${room}/disconnect`, { user: "ana", ban_seconds: 9 }),
      get(server, `/room/${room}`),
    ]) {
      const { status, body } = await attempt;
      assert.deepEqual([status, body.error.code, body.error.retryable], [503, "room_busy", true]);
    }
    await until(() => /newer version/.test(server.log), "the reason in the log");
    await server.kill();
    assert.deepEqual(everything(server), before);
    withDatabase(server, (database) => database.exec("UPDATE roomful SET version = 1"));
    await server.start();
    const ana = await join(server, room, { resume: place("ana", 0) });
    assert.equal(ana.welcome.recovered, true);
  });

  test("e4 r4 of a room that cannot be restored one can leave", async (t) => {
    const server = await startServer(t, { watched: true });
    const room = freshRoom();
    const address = `${server.url.replace("http", "ws")}/room/${room}?token=${tokenFor("ana", room)}`;
    const ana = new Recorder(new WebSocket(address, ["roomful.v1"], { perMessageDeflate: false, closeTimeout: 60_000 }));
    await ana.find("welcome");
    await ana.publish("e", 1);
    await get(server, `/watch/evict/${room}`);
    withDatabase(server, (database) => database.exec("UPDATE roomful SET version = 99"));
    assert.equal((await get(server, `/room/${room}`)).status, 503);
    assert.equal((await ana.close(1000)).code, 1000, "her goodbye is answered");
  });

  for (const [what, vars, data, kept] of [
    ["grows", {}, "short", ["stored", "stored"]],
    ["is written over", { HISTORY_MESSAGES: 1 }, "x".repeat(5_000), ["stored"]],
  ]) {
    test(`m5 e4 a message whose row is not there when it ${what} is refused, and not acknowledged`, async (t) => {
      const server = await startServer(t, { vars });
      const room = freshRoom();
      const publish = (event) => post(server, `/room/${room}/publish`, { event, data });
      // The first row never grows.
      for (const offset of [1, 2]) assert.equal((await publish("stored")).body.offset, offset);
      await server.kill();
      // From now on the UPDATE of a row finds none.
      withDatabase(server, (database) =>
        database.exec("CREATE TRIGGER gone BEFORE UPDATE ON log BEGIN SELECT RAISE(IGNORE); END"),
      );
      await server.start();
      const { status, body } = await publish("lost");
      assert.deepEqual([status, body.error?.code], [503, "storage_failed"]);
      const { body: history } = await get(server, `/room/${room}/history`);
      assert.deepEqual(history.messages.map(({ event }) => event), kept);
      await server.kill();
      withDatabase(server, (database) => database.exec("DROP TRIGGER gone"));
      await server.start();
      assert.equal((await publish("next")).body.offset, 3);
    });
  }

  test("m5 a column that a newer release added, with a default, is left alone", async (t) => {
    const { server, room } = await left(t);
    withDatabase(server, (database) => {
      for (const table of ["meta", "members", "bans", "log"]) {
        database.exec(`ALTER TABLE ${table} ADD COLUMN later TEXT NOT NULL DEFAULT 'x'`);
      }
    });
    await server.start();
    const ana = await join(server, room, { resume: place("ana", 0) });
    assert.equal((await ana.publish("chat", 1)).offset, 6);
    await join(server, room, { user: "dan" });
    await post(server, `/room/${room}/disconnect`, { user: "mal", ban_seconds: 9 });
    await server.kill();
    const after = everything(server);
    assert.ok(after.members.length >= 2 && after.members.every(({ later }) => later === "x"));
    assert.deepEqual(after.bans.map(({ user }) => user), ["eve", "mal"]);
  });
});
