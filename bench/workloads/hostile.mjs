// Hostile: what do honest people notice while somebody does all that one user may, and more?
import { spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { at, node } from "../../scripts/project.mjs";
import { guarded } from "../process.mjs";
import { cores, spread, text } from "../statistics.mjs";
import { holds } from "../targets.mjs";

const PEOPLE = 20;
/** Of all together: five a second each. */
const RATE = 100;
const WINDOW = { warmup: 1, seconds: 5 };
/** The attack is under way before anybody is measured. */
const HEAD_START_MS = 1_500;

const ATTACKS = {
  none: "nobody",
  messages: "10 connections at ten times the rate",
  crowd: "50 connections at the rate of each",
  large: "1 connection, messages of 60 kB at its rate",
  most: "50 connections, messages of 60 kB at the rate of each",
  refused: "10 connections, frames of 60 kB far over the rate",
  states: "50 connections, states of 4 kB",
  history: "10 connections ask for the history",
  connects: "connects and leaves in a loop",
  ids: "10 connections, stored, ids of 64 characters",
  renewals: "10 connections, bad tokens of 8 kB",
  slow: "49 connections that do not read, 1 that sends 60 kB",
  slowloris: "1,000 sockets with half a request",
  reads: "20 loops read the history over HTTP, as an administrator may",
};

export const hostile = {
  name: "hostile",
  slow: true,
  title: "Hostile users",
  asks: `${PEOPLE} people say ${RATE / PEOPLE} things a second each, while one other user, with the default limits, does what is said. How late are they, and what does the server hold in memory?`,

  async run(bench) {
    const [subject] = bench.only("roomful");
    const cases = Object.keys(ATTACKS);
    const outcomes = await bench.rounds(bench.times(1), cases, (attack) => run(bench, subject, attack));
    const rows = cases.map((attack, index) => {
      const runs = outcomes[index];
      const of = (figure) => spread(runs.map(figure));
      return {
        attack,
        p50: of(({ latency_ms }) => latency_ms?.p50),
        p99: of(({ latency_ms }) => latency_ms?.p99),
        lost: Math.max(...runs.map(({ lost }) => lost)),
        open: Math.min(...runs.map(({ still_open }) => still_open)),
        cpu: of(({ server_cpu }) => cores(server_cpu)),
        memory: of(({ memory }) => memory),
        seen: runs[0].seen,
      };
    });
    return {
      figures: rows,
      tables: [table(rows)],
      notes: [
        "The attacker runs on the same cores as the server and the load generator: what it computes itself is in the latencies. Without tokens everybody is an administrator, who has no rate over HTTP.",
      ],
      targets: [
        holds(
          "the honest lose no message and no connection, whatever the other does",
          rows.every(({ lost, open }) => lost === 0 && open === PEOPLE),
        ),
      ],
    };
  },
};

function run(bench, subject, attack) {
  return bench.serving(subject, {}, async (server) => {
    const attacker = attack === "none" ? undefined : start(attack, server.port);
    if (attacker) await wait(HEAD_START_MS);
    let memory = 0;
    const looking = setInterval(() => {
      memory = Math.max(memory, server.memory() ?? 0);
    }, 100);
    const options = { people: PEOPLE, senders: PEOPLE, rate: RATE, ...WINDOW, drain: 5, kind: "messages" };
    const result = await bench.load(subject, server, "quiet", options).finally(() => clearInterval(looking));
    const seen = await attacker?.stop();
    // Where nothing came in time there is no latency.
    const { latency_ms, lost, still_open } = result;
    bench.tell(
      `hostile, ${attack}`,
      `p50 ${latency_ms?.p50} ms, p99 ${latency_ms?.p99} ms, ${lost} lost, ${still_open} open, ${(memory / 1e6).toFixed(0)} MB; ${JSON.stringify(seen ?? {})}`,
    );
    return { ...result, memory, seen };
  });
}

function start(attack, port) {
  const args = [at("bench", "hostile", "attack.mjs"), attack, String(port)];
  const child = guarded(spawn(node(), args, { stdio: ["pipe", "pipe", "inherit"] }));
  let told = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (told += text));
  const ended = new Promise((resolve) => child.on("close", resolve));
  return {
    async stop() {
      child.stdin.end();
      await ended;
      return told ? JSON.parse(told) : undefined;
    },
  };
}

const list = (counts) =>
  Object.entries(counts)
    .map(([what, count]) => `${what} × ${count}`)
    .join(", ");

/** What has become of the attacker, in a few words. */
function fate(seen) {
  if (!seen) return "";
  const parts = [];
  if (seen.opened) parts.push(`${seen.opened} opened`);
  if (seen.refused) parts.push(`${seen.refused} refused`);
  if (Object.keys(seen.closes).length) parts.push(`closed: ${list(seen.closes)}`);
  if (Object.keys(seen.answers).length) parts.push(`told: ${list(seen.answers)}`);
  return parts.join("; ");
}

const table = (rows) => ({
  head: ["beside them", "p50 ms", "p99 ms", "lost", "server CPU", "memory MB", "what became of it"],
  rows: rows.map((row) => [
    ATTACKS[row.attack],
    text(row.p50),
    text(row.p99),
    row.lost,
    text(row.cpu, { scale: 100, unit: " %" }),
    text(row.memory, { scale: 1e-6 }),
    fate(row.seen),
  ]),
});
