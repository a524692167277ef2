import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { freshRoom, get, join, placeOf, post, request } from "./client.mjs";
import { withDatabase } from "./database.mjs";
import { startServer } from "./server.mjs";

/** Bytes of the pages in use, as the room counts them. */
const size = (server) =>
  withDatabase(server, (database) => {
    const one = (pragma) => Object.values(database.prepare(`PRAGMA ${pragma}`).get())[0];
    return (one("page_count") - one("freelist_count")) * one("page_size");
  });

test("n10 a room takes no more of the disk than its limits say, whatever is said in which order", async (t) => {
  const vars = { HISTORY_BYTES: 400_000, HISTORY_MESSAGES: 200, COMMITS_PER_SECOND: 1_000, RATE_PER_SECOND: 10_000, RATE_BURST: 10_000 };
  const server = await startServer(t, { vars });
  const room = freshRoom();
  const ana = await join(server, room);
  const say = async (count, bytes) => {
    for (let n = 0; n < count; n++) await ana.publish("e", "x".repeat(bytes), { echo: false });
  };
  await say(90, 4_000);
  await say(40, 60_000);
  const except = Array.from({ length: 100 }, (_, n) => `zzzzzz${1000 + n}`);
  const messages = Array.from({ length: 90 }, (_, n) => ({ room, event: "e", except, id: `${n}`.padEnd(64, "\u0001") }));
  for (let n = 0; n < 8; n++) {
    const { body } = await post(server, "/publish", { messages: messages.map((m) => ({ ...m, id: `${n}${m.id}`.slice(0, 64) })) });
    assert.deepEqual(body.results.filter(({ error }) => error), []);
  }
  await say(20, 60_000);
  const { history } = (await get(server, `/room/${room}`)).body;
  assert.ok(history.bytes <= 400_000 && history.messages > 0, JSON.stringify(history));
  await server.kill();
  // docs/operations.md: messages, then what lies beside them. Without the bound it would be 40 × 60 kB and more.
  const log = 2 * 400_000 + (2 * 200 + 500) * 2_600;
  const taken = size(server);
  t.diagnostic(`${taken} bytes`);
  assert.ok(taken <= log + 100_000, `${taken} bytes`);
  assert.ok(taken > 400_000);
});

test("n5 what time has ended is on the disk no more, though somebody is there", async (t) => {
  const server = await startServer(t, { vars: { HISTORY_SECONDS: 2, PING_SECONDS: 1 } });
  const room = freshRoom();
  let ana = await join(server, room);
  for (let n = 0; n < 20; n++) await ana.publish("e", "in confidence ".repeat(300));
  const left = () =>
    withDatabase(server, (database) => database.prepare("SELECT sum(length(messages)) AS n FROM log").get().n);
  // The room looks every four seconds. What lies there can be seen only while no server has it open.
  for (let round = 0; round < 6; round++) {
    const enough = Date.now() + 7_000;
    while (Date.now() < enough) await ana.settled().then(() => pause(500));
    await server.kill();
    if (left() === 0) break;
    await server.start();
    ana = await join(server, room, { resume: placeOf(ana) });
  }
  assert.equal(left(), 0);
  await server.start();
  ana = await join(server, room, { resume: placeOf(ana) });
  assert.equal(ana.welcome.recovered, true);
  assert.equal((await ana.publish("e", 1)).offset, 21);
});

test("n10 h4 of ten thousand bans the one that ended first makes room for another", async (t) => {
  const server = await startServer(t);
  const room = freshRoom();
  const ban = (user) => post(server, `/room/${room}/disconnect`, { user, ban_seconds: 3_600 });
  assert.equal((await ban("eve")).status, 200);
  await server.kill();
  withDatabase(server, (database) => {
    const insert = database.prepare("INSERT INTO bans VALUES (?, ?)");
    const now = Date.now();
    database.exec("BEGIN");
    for (let n = 1; n < 10_000; n++) insert.run(`u${n}`, now + (n > 2 ? 3_600_000 : -1_000 * n));
    database.exec("COMMIT");
  });
  for (const [user, status, ended] of [["ana", 200, ["u1"]], ["bob", 200, []], ["cleo", 507, []]]) {
    await server.start();
    assert.equal((await ban(user)).status, status, user);
    await server.kill();
    withDatabase(server, (database) => {
      const bans = database.prepare("SELECT user FROM bans").all().map(({ user }) => user);
      assert.equal(bans.length, 10_000);
      assert.deepEqual(bans.filter((user) => /^u[12]$/.test(user)), ended);
    });
  }
});

test("h4 h5 of a room that is deleted while bans run nothing else is left", async (t) => {
  const server = await startServer(t);
  const room = freshRoom();
  const ana = await join(server, room);
  await ana.publish("e", 1);
  await post(server, `/room/${room}/disconnect`, { user: "eve", ban_seconds: 3_600 });
  const counted = async () => {
    await server.kill();
    const count = (database, table) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get().n;
    const counts = withDatabase(server, (database) => ["bans", "meta", "members", "log"].map((table) => count(database, table)));
    await server.start();
    return counts;
  };
  assert.deepEqual(await counted(), [1, 1, 1, 1]);
  assert.equal((await request(server, "DELETE", `/room/${room}`)).status, 200);
  assert.deepEqual(await counted(), [1, 0, 0, 0]);
});
