// Cursors: how many people can move theirs in one room, and what does one that arrives cost?
import { impossible } from "../bench.mjs";
import { largest } from "../search.mjs";
import { cores, spread, text } from "../statistics.mjs";
import { target } from "../targets.mjs";

const RATE = 20;
const P99_MS = 100;
/** Where the search begins, near the ends that were found before: fewer probes. */
const GUESSES = { roomful: 270, "roomful-states": 330, bare: 33, partyserver: 33, ws: 55, socketio: 50, sockudo: 68 };
const PEOPLE_AT_LEAST = 400;
const TIMES_PARTYSERVER = 8;
/** To so many people a delivery is so many times cheaper than PartyServer's to 40. */
const CHEAPER = [
  [40, 5],
  [400, 40],
];

export const cursors = {
  name: "cursors",
  title: "Cursors",
  asks: `Everybody moves a cursor, ${RATE} times a second, and everybody sees all of them. How many people can there be before the p99 reaches ${P99_MS} ms or something is lost, and what does each cursor that arrives cost the server?`,

  async run(bench) {
    const names = bench.quick ? ["roomful", "partyserver"] : ["roomful", "bare", "partyserver", "ws", "socketio", "sockudo"];
    const cases = bench.only(...names).flatMap((subject) => {
      const messages = { name: subject.name, title: subject.title, subject, kind: "messages" };
      if (subject.name !== "roomful") return [messages];
      return [
        { ...messages, title: "Roomful, messages" },
        { ...messages, name: "roomful-states", title: "Roomful, states", kind: "states" },
      ];
    });
    const crowds = await searches(bench, bench.quick ? cases.filter(({ kind }) => kind === "messages") : cases);
    const costs = await costsOf(bench, cases);
    const partyserver = crowds.find(({ name }) => name === "partyserver")?.people.median;
    const [roomful] = crowds;
    return {
      figures: { crowds, costs },
      tables: [crowdTable(crowds, partyserver), costTable(costs)],
      bars: [
        {
          title: `People who move cursors in one room, ${RATE} a second each, p99 below ${P99_MS} ms`,
          unit: "",
          bars: crowds.map(({ title, people }) => [title, people.median]),
        },
        {
          title: "Server CPU for each cursor that arrives, in µs; less is better",
          unit: " µs",
          bars: costs.map(({ title, people, cost }) => [`${title}, to ${people}`, cost?.median]),
        },
      ],
      targets: [
        target("people who move cursors", roomful.people, { atLeast: PEOPLE_AT_LEAST }),
        target("people, by those of PartyServer", roomful.people.median / partyserver, { atLeast: TIMES_PARTYSERVER }),
        ...CHEAPER.map(([people, times]) => {
          const one = costs.find((cost) => cost.name === "roomful" && cost.people === people);
          return target(`CPU of PartyServer for each delivery to 40, by Roomful's to ${people}`, one?.times, { atLeast: times });
        }),
      ],
    };
  },
};

/** One search for each case; then, from where it ended, further ones, which are short. */
async function searches(bench, cases) {
  const found = cases.map(() => []);
  const window = bench.quick ? { warmup: 1.5, seconds: 2, drain: 3 } : { warmup: 4, seconds: 3, drain: 2 };
  await bench.rounds(bench.times(2), cases, async (one, round) => {
    const before = found[cases.indexOf(one)];
    const guess = before[0]?.people || GUESSES[one.name];
    const probes = bench.quick ? 4 : round ? 3 : 5;
    const outcome = await largest((people) => carries(bench, one, people, window), { guess, probes });
    bench.tell(`cursors, ${one.title}`, `${outcome.people} people after ${outcome.asked.length} probes`);
    before.push(outcome);
  });
  return cases.map(({ name, title }, index) => ({
    name,
    title,
    people: spread(found[index].map(({ people }) => people)),
    probes: found[index],
  }));
}

/**
 * Whether a crowd is carried, in the first try or the second: a stall of 30 ms in three seconds, as the other users of a
 * shared machine cause them, is enough to lift a p99 over the bound.
 */
async function carries(...crowd) {
  return (await carriesOnce(...crowd)) || (await carriesOnce(...crowd));
}

async function carriesOnce(bench, { subject, kind, title }, people, window) {
  const options = { people, senders: people, rate: RATE * people, ...window, kind };
  try {
    const result = await bench.measure(subject, "cursors", options, { brief: (figures) => `${title}: ${brief(figures)}` });
    return arrival(result).p99 < P99_MS && missing(result) === 0 && !result.complaint;
  } catch (error) {
    bench.tell(`cursors, ${title}, ${people} people`, impossible(error));
    return false;
  }
}

/** States are conflated: what counts is how old they are when they arrive, and that the last one of each does. */
const arrival = ({ latency_ms, age_ms }) => age_ms ?? latency_ms;
const missing = ({ lost, stale, doubled }) => (stale ?? lost) + (doubled ?? 0);
const brief = (result) =>
  `p50 ${arrival(result).p50} ms, p99 ${arrival(result).p99} ms${missing(result) ? `, ${missing(result)} lost` : ""}`;

async function costsOf(bench, cases) {
  const crowded = cases.filter(({ subject }) => subject.name === "roomful").map((one) => ({ ...one, people: 400 }));
  const all = [...cases.map((one) => ({ ...one, people: 40 })), ...crowded];
  // V8 still compiles during the first seconds, in threads of the same process.
  const window = { warmup: bench.quick ? 2 : 5, seconds: bench.quick ? 4 : 5, drain: 2 };
  const outcomes = await bench.rounds(bench.times(2), all, ({ subject, kind, people, title }) =>
    bench.measure(
      subject,
      "cursors",
      { people, senders: people, rate: RATE * people, ...window, kind },
      {
        brief: (result) => `${title}: ${result.us_per_delivery} µs a delivery, ${brief(result)}`,
      },
    ),
  );
  const partyserver = spread(outcomes[all.findIndex(({ name }) => name === "partyserver")]?.map(perDelivery) ?? []);
  return all.map(({ name, title, people }, index) => {
    const runs = outcomes[index];
    const of = (figure) => spread(runs.map(figure));
    const cost = of(perDelivery);
    return {
      name,
      title,
      people,
      deliveries: of(({ deliveries_per_second }) => deliveries_per_second),
      p50: of((result) => arrival(result).p50),
      p99: of((result) => arrival(result).p99),
      lost: Math.max(...runs.map(missing)),
      cpu: of(({ server_cpu }) => cores(server_cpu)),
      bytes: of(({ bytes_per_second, people }) => bytes_per_second / people),
      cost,
      times: partyserver && cost ? partyserver.median / cost.median : undefined,
    };
  });
}

const perDelivery = ({ us_per_delivery }) => us_per_delivery;

const crowdTable = (crowds, partyserver) => ({
  head: ["", "people", "fails at", "by PartyServer's"],
  rows: crowds.map(({ title, people, probes }) => [
    title,
    text(people),
    probes[0].above ?? "–",
    text(people.median / partyserver),
  ]),
});

const costTable = (costs) => ({
  head: [
    "",
    "people",
    "delivered/s",
    "p50 ms",
    "p99 ms",
    "lost",
    "server CPU",
    "kB/s to each",
    "µs a delivery",
    "PartyServer's by it",
  ],
  rows: costs.map((row) => [
    row.title,
    row.people,
    text(row.deliveries, { alone: true }),
    text(row.p50),
    text(row.p99),
    row.lost,
    text(row.cpu, { scale: 100, unit: " %" }),
    text(row.bytes, { scale: 1e-3, alone: true }),
    text(row.cost),
    text(row.times),
  ]),
});
