// Servers that are killed while people talk. What the crowd looks for: witness.mjs, ledger.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get } from "./client.mjs";
import { Crowd } from "./crowd.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const vars = {
  GRACE_SECONDS: 60,
  RATE_PER_SECOND: 10_000,
  RATE_BURST: 10_000,
  RECOVER_MESSAGES: 10_000,
  HISTORY_MESSAGES: 100_000,
};

async function crowded(t, count, more = {}) {
  const server = await startServer(t, { vars: { ...vars, ...more } });
  const crowd = await new Crowd(server, freshRoom("crowd")).join(count);
  t.after(() => crowd.disperse());
  return { server, crowd };
}

test("m4 m5 r1 r2 r5 p5 killed three times in a row under load, a room loses nothing and nobody", async (t) => {
  const { server, crowd } = await crowded(t, 8);
  crowd.talk(5);
  const cuts = [];
  for (let round = 0; round < 3; round++) {
    const { acks } = crowd.ledger;
    // The second and the third come while some are still coming back.
    const wanted = acks + (round === 0 ? 200 : 1);
    await until(() => crowd.ledger.acks >= wanted && crowd.waiting > 0, "an ack, and one that is due");
    const killed = server.kill();
    cuts.push({ at: Date.now(), ids: crowd.people.flatMap((who) => [...who.waiting.keys()]) });
    await killed;
    await server.start();
  }
  const { acks } = crowd.ledger;
  await until(() => crowd.ledger.acks > acks + 200, "the crowd to go on");
  const messages = await crowd.agree();
  const at = new Map(messages.map(({ data, at }) => [data.id, at]));
  for (const cut of cuts) {
    const stored = cut.ids.filter((id) => at.get(id) <= cut.at);
    t.diagnostic(`${cut.ids.length} without an ack when it was killed, ${stored.length} of them in the log`);
  }
  assert.equal(messages.length, crowd.ledger.acks, "each publish was acknowledged in the end, and is there once");
  assert.deepEqual(crowd.flickered, []);
  for (const who of crowd.people) assert.ok(who.resumes > 0, who.user);
});

test("m4 m5 a tick that is cut: what was in it counts once, whenever that happens", async (t) => {
  // After some commits the next waits for up to 250 ms: a tick long enough to be met.
  const { server, crowd } = await crowded(t, 3, { COMMITS_PER_SECOND: 4 });
  const [ana, bob] = crowd.people;
  const burst = () => {
    for (let count = 0; count < 30; count++) crowd.people[count % 3].publish();
  };
  const kill = () => {
    const killed = server.kill();
    return { killed, waiting: crowd.waiting, heard: bob.offset };
  };
  const moments = {
    // The answer says that the room has taken what came before it.
    "before it is stored": () => get(server, `/room/${crowd.room}`).then(kill),
    "at the first word of it": () => new Promise((done) => bob.notice(() => bob.told.message > 0 && done(kill()))),
    "at the first ack": () => new Promise((done) => ana.notice(() => ana.told.ack > 0 && done(kill()))),
  };
  for (const [moment, come] of Object.entries(moments)) {
    let before;
    const cut = await until(
      async () => {
        // The few commits that may follow each other at once are used up.
        for (let count = 0; count < 6; count++) {
          const id = ana.publish();
          await until(() => !ana.waiting.has(id), "an ack");
        }
        await crowd.agree();
        before = bob.offset;
        for (const who of crowd.people) who.told = {};
        burst();
        const cut = await come();
        for (const who of crowd.people) who.notice(() => {});
        await cut.killed;
        await server.start();
        const { body } = await get(server, `/room/${crowd.room}`);
        cut.stored = body.offset - before;
        await until(() => crowd.people.every((who) => who.quiet), "all to be back");
        // A machine that is busy enough may have stored and answered everything by then.
        return cut.waiting > 0 && (moment !== "before it is stored" || cut.stored === 0) && cut;
      },
      `a tick to be cut ${moment}`,
      { within: 60_000 },
    );
    t.diagnostic(`${moment}: ${cut.waiting} of 30 without an ack, ${cut.stored} in the log`);
    const messages = await crowd.agree();
    assert.equal(messages.length, crowd.ledger.acks, moment);
    assert.equal(bob.offset, before + 30, moment);
  }
});
