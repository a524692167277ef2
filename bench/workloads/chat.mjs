// Chat: what does it cost that messages are on disk before anybody gets them?
import { cores, ratio, spread, text } from "../statistics.mjs";
import { target } from "../targets.mjs";
import { rowTable, rowsOf } from "./rows.mjs";

const READERS = [10, 100, 1000];
const DURABLE_AT_LEAST = 0.7;
/** Rows for each message, by messages a second. */
const ROWS_AT_MOST = { 100: 0.2, 1: 1 };
/** Messages of each of the ten that are under way: enough to keep the server busy, and not more, since all of them wait. */
const UNDER_WAY = { roomful: { 10: 100, 100: 100, 1000: 32 }, others: { 10: 8, 100: 8, 1000: 1 } };
/** Messages a second when the acknowledgements are timed: nothing waits then. */
const CALM = 10;
/** As fast as acknowledgements allow is faster than what a client may say otherwise. */
const FAST = { RATE_PER_SECOND: 10_000, RATE_BURST: 100_000 };

/** What is asked; `subject` by name. */
const KINDS = [
  { name: "durable", title: "Roomful, stored", subject: "roomful", kind: "durable" },
  { name: "ephemeral", title: "Roomful, not stored", subject: "roomful", kind: "ephemeral" },
  {
    name: "insert",
    title: "PartyServer, one INSERT each",
    subject: "partyserver",
    kind: "durable",
    variables: { HISTORY: "yes" },
  },
  { name: "plain", title: "PartyServer, not stored", subject: "partyserver", kind: "ephemeral" },
];

export const chat = {
  name: "chat",
  title: "Chat",
  asks: "Ten people publish as fast as the server takes it; everybody reads. How many messages arrive in a second? And at an easier pace: how long until one is acknowledged, and how many rows are written for it?",

  async run(bench) {
    const crowds = bench.quick ? [100] : READERS;
    const speeds = await speedsOf(bench, crowds);
    const acks = await acksOf(bench, crowds);
    const rows = await rowsOf(bench, bench.quick ? [100] : [100, 1]);
    return {
      figures: { speeds, acks, rows },
      tables: [speedTable(speeds), ackTable(acks), rowTable(rows)],
      bars: [
        {
          title: "Messages that reach 100 readers in a second, counted once for each of them",
          unit: "",
          bars: speeds.filter(({ people }) => people === 100).map(({ title, deliveries }) => [title, deliveries.median]),
        },
      ],
      targets: [
        ...speeds
          .filter(({ name }) => name === "durable")
          .map(({ people, share }) =>
            target(`stored messages to ${people}, by what Roomful delivers unstored`, share, { atLeast: DURABLE_AT_LEAST }),
          ),
        ...rows
          .filter(({ name }) => name === "roomful")
          .map(({ rate, each }) =>
            target(`rows for each message at ${rate} a second, pruning included`, each, { atMost: ROWS_AT_MOST[rate] }),
          ),
      ],
    };
  },
};

async function speedsOf(bench, crowds) {
  const cases = crowds.flatMap((people) => KINDS.map((kind) => ({ ...kind, people })));
  const outcomes = await bench.rounds(bench.times(2), cases, ({ subject, title, people, kind, variables }) =>
    bench.measure(
      bench.subjects[subject],
      "chat",
      { people, senders: 10, window: (UNDER_WAY[subject] ?? UNDER_WAY.others)[people], warmup: 1, seconds: 3, drain: 4, kind },
      {
        serve: { variables: { ...FAST, ...variables } },
        brief: ({ deliveries_per_second }) => `${title}: ${Math.round(deliveries_per_second)} deliveries a second`,
      },
    ),
  );
  const rows = cases.map(({ name, title, people }, index) => {
    const of = (figure) => spread(outcomes[index].map(figure));
    return {
      name,
      title,
      people,
      deliveries: of(({ deliveries_per_second }) => deliveries_per_second),
      messages: of(({ messages_per_second, deliveries_per_second }) => messages_per_second ?? deliveries_per_second / people),
      cpu: of(({ server_cpu }) => cores(server_cpu)),
      cost: of(({ us_per_delivery }) => us_per_delivery),
      lost: Math.max(...outcomes[index].map(({ lost, doubled }) => lost + doubled)),
    };
  });
  const among = (name, people) => rows.find((row) => row.name === name && row.people === people)?.deliveries.median;
  for (const row of rows) {
    row.toPartyServer = row.deliveries.median / among("insert", row.people);
    if (row.name === "durable") row.share = row.deliveries.median / among("ephemeral", row.people);
  }
  return rows;
}

async function acksOf(bench, crowds) {
  const cases = crowds.flatMap((people) => KINDS.filter(({ kind }) => kind === "durable").map((kind) => ({ ...kind, people })));
  const outcomes = await bench.rounds(bench.times(2), cases, ({ subject, title, people, variables }) =>
    bench.measure(
      bench.subjects[subject],
      "chat",
      { people, senders: 10, rate: CALM, warmup: 1, seconds: 3, drain: 2, kind: "durable" },
      { serve: { variables }, brief: ({ ack_ms }) => `${title}: ack p50 ${ack_ms.p50} ms, p99 ${ack_ms.p99} ms` },
    ),
  );
  return cases.map(({ name, title, people }, index) => {
    const runs = outcomes[index].map(({ ack_ms }) => ack_ms);
    const theirs = outcomes[cases.findIndex((other) => other.people === people && other.name === "insert")];
    return {
      name,
      title,
      people,
      p50: spread(runs.map(({ p50 }) => p50)),
      p99: spread(runs.map(({ p99 }) => p99)),
      toPartyServer: ratio(
        runs.map(({ p50 }) => p50),
        theirs.map(({ ack_ms }) => ack_ms.p50),
      ),
    };
  });
}

const speedTable = (rows) => ({
  head: ["readers", "", "messages/s", "delivered/s", "by PartyServer's INSERT", "lost", "server CPU", "µs a delivery"],
  rows: rows.map((row) => [
    row.people,
    row.title,
    text(row.messages, { alone: true }),
    text(row.deliveries),
    text(row.toPartyServer),
    row.lost,
    text(row.cpu, { scale: 100, unit: " %", alone: true }),
    text(row.cost),
  ]),
});

const ackTable = (rows) => ({
  head: ["readers", `${CALM} messages a second`, "ack p50 ms", "ack p99 ms", "p50 by PartyServer's INSERT"],
  rows: rows.map(({ people, title, p50, p99, toPartyServer }) => [people, title, text(p50), text(p99), text(toPartyServer)]),
});
