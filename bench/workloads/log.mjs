// The log: reading from it, its size, and what it costs to keep it short.
import { cores, spread, text } from "../statistics.mjs";
import { stored } from "../workerd.mjs";

const RESUMED = 500;
const BATCH = 100;
/** As much as the variables allow. */
const KEEP_ALL = { HISTORY_MESSAGES: 100_000, HISTORY_BYTES: 1_073_741_824 };
const FAST = { RATE_PER_SECOND: 10_000, RATE_BURST: 100_000, COMMITS_PER_SECOND: 1000 };
const KEEP_FEW = { HISTORY_MESSAGES: 1000 };

export const log = {
  name: "log",
  title: "The log",
  asks: "A room holds many messages. How fast are they stored, how fast does a client resume that missed 500, how fast does one page back, how large is the database, and what does it cost that old messages go?",

  async run(bench) {
    const { roomful, partyserver } = bench.subjects;
    const messages = bench.quick ? 20_000 : 100_000;
    const [reads] = await bench.rounds(bench.times(3), [roomful], (subject) => reading(bench, subject, messages));
    const [inserts] = await bench.rounds(1, [partyserver], (subject) => inserting(bench, subject));
    const pruning = await pruningOf(bench, roomful);
    const of = (figure) => spread(reads.map(figure));
    const figures = {
      messages,
      storedPerSecond: of(({ log }) => log.messages_per_second),
      ack50: of(({ log }) => (log.ack_ms ?? log.acks)?.p50),
      resume50: of(({ resume }) => resume.resume_ms.p50),
      resume99: of(({ resume }) => resume.resume_ms.p99),
      page50: of(({ history }) => history.page_ms.p50),
      page99: of(({ history }) => history.page_ms.p99),
      bytes: of(({ bytes }) => bytes),
      partyserverBytes: spread(inserts.map(({ bytes }) => bytes)),
      pruning,
    };
    return { figures, tables: [readTable(figures), pruneTable(pruning)], targets: [] };
  },
};

/** Stores, resumes, pages, and weighs what is on disk. */
async function reading(bench, subject, messages) {
  const variables = { ...FAST, ...KEEP_ALL };
  return bench.serving(subject, { variables }, async (server) => {
    const log = await bench.load(subject, server, "log", { messages, batch: BATCH });
    const { epoch, offset } = await server.ask(subject.flags.path);
    const times = bench.quick ? 10 : 20;
    const resume = await bench.load(subject, server, "resume", { epoch, offset: offset - RESUMED, times });
    const history = await bench.load(subject, server, "history", { times: times * 5, limit: 500 });
    await server.halt();
    const bytes = stored(server) / messages;
    bench.tell(
      "log",
      `${Math.round(log.messages_per_second)} messages a second, ${RESUMED} missed after ${resume.resume_ms.p50} ms, a page after ${history.page_ms.p50} ms, ${bytes.toFixed(0)} bytes each`,
    );
    return { log, resume, history, bytes };
  });
}

/** The size of the same messages as rows of their own. */
async function inserting(bench, subject) {
  return bench.serving(subject, { variables: { HISTORY: "yes" } }, async (server) => {
    const { published } = await bench.load(subject, server, "chat", {
      people: 10,
      senders: 10,
      window: 8,
      seconds: 2,
      warmup: 0,
      drain: 2,
      kind: "durable",
    });
    await server.halt();
    return { bytes: stored(server) / published };
  });
}

/** The same messages into a room that keeps all of them and into one that keeps few, for CPU and, in runs of their own, for rows. */
async function pruningOf(bench, subject) {
  const cases = [
    { title: "all are kept", variables: { ...FAST, ...KEEP_ALL } },
    { title: `the last ${KEEP_FEW.HISTORY_MESSAGES.toLocaleString("en")} are kept`, variables: { ...FAST, ...KEEP_FEW } },
  ];
  const messages = 20_000;
  const outcomes = await bench.rounds(bench.times(3), cases, async ({ variables, title }) => {
    const timed = await bench.serving(subject, { variables }, (server) =>
      bench.load(subject, server, "log", { messages, batch: BATCH }),
    );
    const rows = await bench.serving(subject, { variables, counting: true }, async (server) => {
      await bench.load(subject, server, "log", { messages, batch: BATCH });
      return (await server.ask("/bench/rows")).rows;
    });
    const cost = (1e6 * cores(timed.server_cpu) * timed.window_s) / messages;
    bench.tell(`log, ${title}`, `${cost.toFixed(1)} µs and ${(rows / messages).toFixed(4)} rows a message`);
    return { cost, rows: rows / messages, speed: timed.messages_per_second };
  });
  return cases.map(({ title }, index) => {
    const of = (name) => spread(outcomes[index].map((run) => run[name]));
    return { title, cost: of("cost"), rows: of("rows"), speed: of("speed") };
  });
}

const readTable = (figures) => ({
  head: ["", "of Roomful"],
  rows: [
    [`messages stored a second, frames of ${BATCH}`, text(figures.storedPerSecond)],
    ["acknowledged after p50", text(figures.ack50, { unit: " ms" })],
    [`resumed with ${RESUMED} missed messages, p50`, text(figures.resume50, { unit: " ms" })],
    ["the same, p99", text(figures.resume99, { unit: " ms" })],
    [`a page of 500 from ${figures.messages.toLocaleString("en")}, p50`, text(figures.page50, { unit: " ms" })],
    ["the same, p99", text(figures.page99, { unit: " ms" })],
    ["bytes on disk for each message", text(figures.bytes)],
    ["the same for PartyServer with a row for each", text(figures.partyserverBytes)],
  ],
});

const pruneTable = (rows) => ({
  head: ["of the messages", "CPU µs for each", "rows for each", "messages/s"],
  rows: rows.map(({ title, cost, rows, speed }) => [title, text(cost), text(rows), text(speed)]),
});
