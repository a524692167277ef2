// Runs a mixed load against the built Worker in workerd, on the loopback alone, and stops by itself:
//
//   npm run soak [-- --minutes 30] [--out test-results]
//
// Memory is sampled all the time and must be flat (flat.mjs says what that is); the clients look at every word (see
// tests/workerd/witness.mjs and ledger.mjs). The outcome is printed and written to `out` as soak.md, soak.svg, soak.json.
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { machine, ownVersions } from "../../bench/machine.mjs";
import { root } from "../../scripts/project.mjs";
import { Failure, main, say } from "../../scripts/step.mjs";
import { startServer } from "../workerd/server.mjs";
import { Late } from "../workerd/until.mjs";
import { LEAST_MINUTES, flatness } from "./flat.mjs";
import { Life } from "./life.mjs";
import { report } from "./report.mjs";
import { Sampler } from "./sampler.mjs";

/** So many samples, and none more often than this. */
const SAMPLES = 360;
const LEAST_PAUSE_MS = 1_000;
const SAY_EVERY_MS = 60_000;

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

await main(async (args) => {
  const options = { minutes: { type: "string", default: "30" }, out: { type: "string", default: "test-results" } };
  const { values } = parseArgs({ args, options });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 24 * 60)) throw new Failure("--minutes needs a number of minutes, at most a day's");

  const about = { at: new Date().toISOString(), machine: machine(), versions: ownVersions(), minutes };
  const ends = [];
  const server = await startServer({ after: (end) => ends.push(end) }, { vars: { GRACE_SECONDS: 5 }, watched: true });
  const faults = [];
  // A machine that is taken by other work breaks no promise.
  const late = [];
  const life = new Life(server, (error) => {
    const list = error instanceof Late ? late : faults;
    if (list.length < 50) list.push(String(error?.message ?? error));
  });
  const sampler = new Sampler(server);
  await life.begin();
  await watch(minutes * 60_000, life, sampler);
  life.end();

  let rows = 0;
  for (const crowd of life.crowds) {
    try {
      // What has not come about by then never will.
      rows += (await crowd.agree({ within: 120_000 })).length;
    } catch (error) {
      faults.push(`${crowd.room}: ${error.message}`);
    }
  }
  const { samples } = sampler;
  const [rss, wasm] = ["rss", "wasm"].map((key) => flatness(samples, key));
  const counts = { ...life.counts, ...life.heard };
  const flat = minutes >= LEAST_MINUTES ? rss.flat && wasm.flat : null;
  const soak = { ...about, flat, rss, wasm, rows, counts, faults, late, samples };
  const out = path.resolve(root, values.out);
  console.log(`\n${report(out, soak)}`);
  say(`written to ${path.relative(root, out)}/soak.md, .svg and .json`);
  for (const end of ends) await end();
  if (faults.length) throw new Failure(`${faults.length} promises were broken`);
  if (flat === false) throw new Failure("memory is not flat");
});
// Whatever came of it, people who are still coming back keep nothing alive.
process.exit();

async function watch(milliseconds, life, sampler) {
  const end = Date.now() + milliseconds;
  const every = Math.max(LEAST_PAUSE_MS, milliseconds / SAMPLES);
  let told = Date.now();
  while (Date.now() < end) {
    await pause(Math.min(every, end - Date.now()));
    await sampler.take({ connections: life.connections, publishes: life.counts.publishes });
    if (Date.now() - told < SAY_EVERY_MS) continue;
    told = Date.now();
    const { rss = NaN, wasm, seconds } = sampler.samples.at(-1);
    const [all, part] = [rss, wasm].map((bytes) => (bytes / 2 ** 20).toFixed(1));
    say(`${(seconds / 60).toFixed(1)} min: ${all} MiB, of which ${part} MiB of wasm`);
  }
}
