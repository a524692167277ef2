// Idle: what does a crowd cost that only keeps its connections?
import { setTimeout as wait } from "node:timers/promises";
import { cores, ratio, spread, text } from "../statistics.mjs";
import { holds, target } from "../targets.mjs";

const PEOPLE = 5000;
/** A smaller crowd tells what each further connection takes, without what the server takes once. */
const FEWER = 2500;
const PING_EVERY_S = 25;
/** The runtime puts an object to sleep after some ten seconds. */
const ASLEEP_AFTER_MS = 12_500;
const MEMORY_AT_MOST = 1.2;
/** Two runs of the same subject differ by so much: less is no difference. In cores. */
const NOISE = 0.005;

export const idle = {
  name: "idle",
  slow: true,
  title: "Idle",
  asks: `${PEOPLE.toLocaleString("en")} people are in one room, say nothing, and ping every ${PING_EVERY_S} seconds. What does that cost, and does the room's object sleep?`,

  async run(bench) {
    const subjects = bench.quick ? bench.only("roomful", "bare") : bench.only("roomful", "bare", "partyserver");
    const seconds = bench.quick ? 10 : 60;
    const outcomes = await bench.rounds(bench.times(1), subjects, (subject) => run(bench, subject, seconds));
    const fewer = await bench.rounds(bench.times(1), bench.only("roomful", "bare"), (subject) => run(bench, subject, 1, FEWER));
    const bare = outcomes[subjects.findIndex(({ name }) => name === "bare")];
    const rows = subjects.map((subject, index) => {
      const runs = outcomes[index];
      return {
        name: subject.name,
        title: subject.title,
        cpu: spread(runs.map(({ cpu }) => cpu)),
        memory: spread(runs.map(({ memory }) => memory)),
        memoryToBare: ratio(
          runs.map(({ memory }) => memory),
          bare.map(({ memory }) => memory),
        ),
        further: fewer[index] && spread(runs.map(({ grown }, round) => (grown - fewer[index][round].grown) / (PEOPLE - FEWER))),
        slept: runs[0].slept === undefined ? undefined : runs.every(({ slept }) => slept),
        missing: Math.max(...runs.map(({ missing }) => missing)),
        closed: Math.max(...runs.map(({ closed }) => closed)),
      };
    });
    const [roomful, yardstick] = rows;
    return {
      figures: rows,
      tables: [table(rows)],
      notes: ["An object slept if nothing but the end of the connections brought it back into memory."],
      bars: [
        {
          title: "Memory for each connection that idles, in kB; less is better",
          unit: " kB",
          bars: rows.map(({ title, memory }) => [title, memory?.median / 1000]),
        },
      ],
      targets: [
        target("server CPU above the bare object's, in percent of a core", 100 * (roomful.cpu?.median - yardstick.cpu?.median), {
          atMost: 100 * NOISE,
        }),
        target("memory for each connection, by the bare object's", roomful.memoryToBare, { atMost: MEMORY_AT_MOST }),
        holds("the room sleeps while its people ping", roomful.slept),
      ],
    };
  },
};

function run(bench, subject, seconds, people = PEOPLE) {
  const variables = { PING_SECONDS: PING_EVERY_S, MAX_CONNECTIONS: PEOPLE + 10 };
  return bench.serving(subject, { variables }, async (server) => {
    const before = server.memory();
    let memory;
    let end;
    const result = await bench.load(
      subject,
      server,
      "idle",
      { people, "ping-every": PING_EVERY_S, seconds },
      {
        async ready() {
          await wait(ASLEEP_AFTER_MS);
          memory = server.memory();
          end = Date.now() + seconds * 1000;
        },
      },
    );
    const slept = subject.object ? (await server.ask(subject.flags.path)).awake_since >= end : undefined;
    const grown = memory - before;
    const each = grown / people;
    const cpu = cores(result.server_cpu);
    const object = slept === undefined ? "" : slept ? ", asleep" : ", awake";
    bench.tell(`idle, ${subject.title}, ${people} people`, `${(100 * cpu).toFixed(1)} % of a core, ${(each / 1000).toFixed(1)} kB each${object}`);
    return { cpu, grown, memory: each, slept, missing: result.missing, closed: result.closed };
  });
}

const table = (rows) => ({
  head: ["", "server CPU", "kB for each connection", "by bare's", "kB for each further one", "the object", "pongs missing", "closed"],
  rows: rows.map((row) => [
    row.title,
    text(row.cpu, { scale: 100, unit: " %" }),
    text(row.memory, { scale: 1e-3 }),
    text(row.memoryToBare),
    row.further ? text(row.further, { scale: 1e-3 }) : "",
    row.slept === undefined ? "" : row.slept ? "slept" : "was awake",
    row.missing,
    row.closed,
  ]),
});
