// Waking: the first message after a room slept.
import { setTimeout as wait } from "node:timers/promises";
import { ratio, spread, text } from "../statistics.mjs";
import { holds, target } from "../targets.mjs";

/** People in each room, and how many rooms: one waking each. */
const CROWDS = [
  { people: 10, rooms: 10 },
  { people: 100, rooms: 10 },
  { people: 1000, rooms: 6 },
];
const ASLEEP_AFTER_MS = 12_500;
const AT_MOST_MS = 50;

export const waking = {
  name: "waking",
  slow: true,
  title: "Waking",
  asks: "A room with so many people has been silent until its object was put to sleep. Somebody says something: when has the first of the others got it, and when the last?",

  async run(bench) {
    const subjects = bench.quick ? bench.only("roomful", "bare") : bench.only("roomful", "bare", "partyserver");
    const crowds = bench.quick ? [{ people: 1000, rooms: 4 }] : CROWDS;
    const cases = crowds.flatMap((crowd) =>
      subjects.filter(({ name }) => crowd.people === 1000 || name !== "partyserver").map((subject) => ({ ...crowd, subject })),
    );
    const outcomes = await bench.rounds(bench.times(1), cases, (one) => run(bench, one));
    const rows = cases.map(({ people, rooms, subject }, index) => {
      const runs = outcomes[index];
      const bare = outcomes[cases.findIndex((other) => other.people === people && other.subject.name === "bare")];
      const of = (figure) => spread(runs.map(figure));
      return {
        people,
        rooms,
        name: subject.name,
        title: subject.title,
        first: of(({ first_ms }) => first_ms.p50),
        firstMax: of(({ first_ms }) => first_ms.max),
        p50: of(({ latency_ms }) => latency_ms.p50),
        last: of(({ all_ms }) => all_ms.p50),
        lastMax: of(({ all_ms }) => all_ms.max),
        toBare: ratio(
          runs.map(({ latency_ms }) => latency_ms.p50),
          bare.map(({ latency_ms }) => latency_ms.p50),
        ),
        slept: Math.min(...runs.map(({ slept }) => slept)),
        lost: Math.max(...runs.map(({ lost }) => lost)),
      };
    });
    const most = rows.findLast(({ name }) => name === "roomful");
    return {
      figures: rows,
      tables: [table(rows)],
      targets: [
        target(`p50 of the first message to ${most.people}`, most.p50, { atMost: AT_MOST_MS, unit: " ms" }),
        holds(`all rooms of ${most.people} had slept`, most.slept === most.rooms),
      ],
    };
  },
};

function run(bench, { people, rooms, subject }) {
  return bench.serving(subject, {}, async (server) => {
    let woken;
    const result = await bench.load(
      subject,
      server,
      "waking",
      { people, rooms },
      {
        async ready() {
          await wait(ASLEEP_AFTER_MS);
          woken = Date.now();
        },
      },
    );
    let slept = 0;
    for (let room = 1; room <= rooms; room++) {
      const { awake_since } = await server.ask(`${subject.flags.path}-${room}`);
      if (awake_since >= woken) slept++;
    }
    bench.tell(
      `waking, ${subject.title}, ${people} people`,
      `first after ${result.first_ms.p50} ms, last after ${result.all_ms.p50} ms (medians of ${rooms} rooms, ${slept} had slept)`,
    );
    return { ...result, slept };
  });
}

const table = (rows) => ({
  head: [
    "people",
    "rooms",
    "",
    "first of them ms",
    "worst room",
    "p50 of all ms",
    "last of them ms",
    "worst room",
    "p50 by bare's",
    "had slept",
    "lost",
  ],
  rows: rows.map((row) => [
    row.people,
    row.rooms,
    row.title,
    text(row.first),
    text(row.firstMax),
    text(row.p50),
    text(row.last),
    text(row.lastMax),
    text(row.toBare),
    row.slept,
    row.lost,
  ]),
});
