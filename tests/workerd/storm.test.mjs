// Everybody comes back all the time, as behind a bad network. STORM_SECONDS makes it last longer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom } from "./client.mjs";
import { Crowd } from "./crowd.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const PEOPLE = 100;
const A_SECOND = 200;
const SECONDS = Number(process.env.STORM_SECONDS ?? 8);
/** However slow the machine is. */
const AT_LEAST = 300;
const MIB = 2 ** 20;
/** By how much the process may grow after the first third: more than its garbage collector swings. */
const GROWTH = 64 * MIB;

test("r1 r2 p5 two hundred reconnects a second: each recovers all, nobody is seen leaving, memory has a bound", async (t) => {
  const server = await startServer(t, { vars: { GRACE_SECONDS: 60, HISTORY_MESSAGES: 100_000 } });
  const crowd = await new Crowd(server, freshRoom("storm")).join(PEOPLE);
  const { people } = crowd;
  const watcher = await crowd.witness("watcher").join();
  t.after(() => Promise.all([crowd.disperse(), watcher.leave()]));
  const began = Date.now();
  const passed = () => (Date.now() - began) / 1_000;
  const came = () => people.reduce((sum, who) => sum + who.resumes, 0);
  let cut = 0;
  let turn = 0;
  let third;
  const wind = setInterval(() => {
    // As many as are due, of those who are there.
    for (let tried = 0; cut < A_SECOND * passed() && tried < PEOPLE; tried++) {
      const who = people[turn++ % PEOPLE];
      if (!who.connected) continue;
      who.drop();
      cut++;
    }
    if (passed() > SECONDS / 3) third ??= server.memory;
  }, 5);
  t.after(() => clearInterval(wind));
  crowd.talk(50);
  const over = () => passed() > SECONDS && came() > AT_LEAST;
  await until(over, () => `${came()} have come back: ${crowd.story}`, { within: (SECONDS + 60) * 1_000 });
  clearInterval(wind);
  const rate = came() / passed();
  const { memory } = server;
  crowd.people.push(watcher);
  const messages = await crowd.agree();
  assert.equal(messages.length, crowd.ledger.acks);
  assert.equal(watcher.resumes, 0);
  // All but the one who came last were told of that.
  assert.deepEqual(crowd.flickered.filter(({ join, leave }) => join !== 1 || leave), []);
  assert.equal(people.reduce((sum, who) => sum + who.gaps, 0), 0);
  if (memory !== undefined) assert.ok(memory - third < GROWTH, `from ${third} to ${memory} bytes`);
  const inMiB = (bytes) => `${(bytes / MIB).toFixed(0)} MiB`;
  t.diagnostic(`${came()} returns, ${rate.toFixed(0)} a second; ${inMiB(third)} after a third, ${inMiB(memory)} in the end`);
});
