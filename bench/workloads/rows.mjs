// Rows written for each stored message: counted, with a history that is full, so that what is pruned counts as well.
import { setTimeout as wait } from "node:timers/promises";
import { Failure } from "../../scripts/step.mjs";
import { spread, text } from "../statistics.mjs";

const KEPT = 50;

/** Of Roomful and PartyServer, at so many messages a second. */
export async function rowsOf(bench, rates) {
  const cases = rates.flatMap((rate) => bench.only("roomful", "partyserver").map((subject) => ({ rate, subject })));
  const outcomes = await bench.rounds(bench.times(1), cases, (one) => rowsAt(bench, one));
  return cases.map(({ rate, subject }, index) => ({
    rate,
    name: subject.name,
    title: subject.title,
    each: spread(outcomes[index].map(({ each }) => each)),
    alarms: spread(outcomes[index].map(({ alarms }) => alarms)),
    statements: outcomes[index][0].statements,
  }));
}

function rowsAt(bench, { rate, subject }) {
  // Without a grace those who filled it are gone, and written off, before it is counted.
  const variables = { HISTORY_MESSAGES: KEPT, GRACE_SECONDS: 0, HISTORY: "yes" };
  return bench.serving(subject, { variables, counting: true }, async (server) => {
    const crowd = { people: 10, senders: 10, warmup: 0, drain: 2, kind: "durable" };
    await bench.load(subject, server, "chat", { ...crowd, rate: 4 * KEPT, seconds: 1 });
    const run = bench.load(subject, server, "chat", { ...crowd, rate, seconds: rate > 10 ? 10 : 20 });
    // Who comes and goes writes rows as well: only what is between counts.
    const seen = await watch(server, run);
    const [before, after] = [seen[0].frames, seen.at(-1).frames];
    const speaking = seen.filter(({ frames }) => frames > before + 1 && frames < after);
    if (speaking.length < 2) throw new Failure("too few messages to count rows");
    const [first, last] = [speaking[0], speaking.at(-1)];
    const messages = last.frames - first.frames;
    const each = (last.rows - first.rows) / messages;
    const alarms = (last.alarms - first.alarms) / messages;
    bench.tell(
      `chat, ${subject.title}, ${rate} messages a second`,
      `${each.toFixed(3)} rows each, of which ${alarms.toFixed(3)} alarms`,
    );
    const statements = Object.entries(last.statements).map(([name, rows]) => [name, rows - (first.statements[name] ?? 0)]);
    return { each, alarms, statements: Object.fromEntries(statements.filter(([, rows]) => rows)) };
  });
}

async function watch(server, run) {
  const seen = [];
  let over = false;
  const end = run.finally(() => (over = true));
  while (!over) {
    seen.push(await server.ask("/bench/rows"));
    await Promise.race([end, wait(250)]);
  }
  await end;
  return seen;
}

export const rowTable = (rows) => ({
  head: ["messages/s", "", "rows for each", "of which alarms", "statements"],
  rows: rows.map(({ rate, title, each, alarms, statements }) => [
    rate,
    title,
    text(each),
    text(alarms),
    Object.entries(statements)
      .map(([name, count]) => `${name}: ${count}`)
      .join("; "),
  ]),
});
