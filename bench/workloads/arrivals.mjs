// Arrivals: many people come at once, and each of them shall know of all.
import { cores, spread, text } from "../statistics.mjs";
import { target } from "../targets.mjs";

const WITHIN_S = 2;
const COMPLETE_MS = 3000;
const LISTED = [250, 500, 1000];
/** Above MAX_MEMBERS nobody is listed, only counted. */
const COUNTED = [500, 1000, 2000];
const MAX_MEMBERS = 250;
/** What bytes may grow beyond what is asked for: connecting costs some as well. */
const SLACK = 1.1;

export const arrivals = {
  name: "arrivals",
  title: "Arrivals",
  asks: `All of them join within ${WITHIN_S} seconds. When does everybody have the whole list of who is there (above MAX_MEMBERS: the number), and how many bytes does that take? No peer has such a list.`,

  async run(bench) {
    const { roomful } = bench.subjects;
    const [listed, counted] = bench.quick ? [LISTED.slice(1), COUNTED.slice(0, 2)] : [LISTED, COUNTED];
    const cases = [
      ...listed.map((people) => ({ people, mode: "listed", variables: { MAX_MEMBERS: Math.max(...LISTED) } })),
      ...counted.map((people) => ({ people, mode: "counted", variables: { MAX_MEMBERS } })),
    ];
    const outcomes = await bench.rounds(bench.times(3), cases, ({ people, variables }) =>
      bench.measure(roomful, "arrivals", { people, within: WITHIN_S }, { serve: { variables }, brief }),
    );
    const rows = cases.map(({ people, mode }, index) => {
      const of = (figure) => spread(outcomes[index].map(figure));
      return {
        people,
        mode,
        complete: of(({ complete_ms }) => complete_ms),
        incomplete: Math.max(...outcomes[index].map(({ incomplete }) => incomplete)),
        bytes: of(({ bytes }) => bytes),
        each: of(({ bytes_per_person, bytes }) => bytes_per_person ?? bytes / people),
        pair: of(({ bytes }) => bytes / people ** 2),
        cpu: of(({ server_cpu, window_s }) => (server_cpu ? cores(server_cpu) * window_s : undefined)),
      };
    });
    const lists = rows.filter(({ mode }) => mode === "listed");
    const counts = rows.filter(({ mode }) => mode === "counted");
    const most = lists.at(-1);
    return {
      figures: rows,
      tables: [table(rows)],
      notes: [`Counted: with MAX_MEMBERS=${MAX_MEMBERS}. Until there are so many, they are listed, which is most of the bytes.`],
      targets: [
        target(`until the lists of ${most.people} are complete`, most.complete, { atMost: COMPLETE_MS, unit: " ms" }),
        target("lists that were never complete", Math.max(...rows.map(({ incomplete }) => incomplete)), { atMost: 0 }),
        grows("bytes for each pair of listed people", lists, ({ pair }) => pair.median),
        grows("bytes for each counted person", counts, ({ each }) => each.median),
      ],
    };
  },
};

function grows(what, rows, figure) {
  const [first, last] = [rows[0], rows.at(-1)];
  return target(`${what}, of ${last.people} people by ${first.people}`, figure(last) / figure(first), { atMost: SLACK });
}

const brief = ({ complete_ms, incomplete, bytes, mode }) =>
  `${mode}: complete after ${complete_ms} ms${incomplete ? `, ${incomplete} never` : ""}, ${(bytes / 1e6).toFixed(1)} MB`;

const table = (rows) => ({
  head: ["people", "", "complete after ms", "never complete", "MB in all", "kB for each", "bytes for each pair", "server CPU s"],
  rows: rows.map((row) => [
    row.people,
    row.mode,
    text(row.complete),
    row.incomplete,
    text(row.bytes, { scale: 1e-6 }),
    text(row.each, { scale: 1e-3 }),
    text(row.pair),
    text(row.cpu),
  ]),
});
