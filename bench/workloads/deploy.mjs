// Deploy: the server is killed and comes back, and everybody comes back to it.
import { spread, text } from "../statistics.mjs";
import { target } from "../targets.mjs";

const PEOPLE = 1000;
const RATE = 20;
const RESUMED_MS = 3000;

export const deploy = {
  name: "deploy",
  title: "Deploy",
  asks: `${PEOPLE} people are in a room in which ${RATE} messages a second are published when the server is killed (SIGKILL) and started again. When is everybody back, and is anything lost?`,

  async run(bench) {
    const subjects = bench.quick ? bench.only("roomful") : bench.only("roomful", "partyserver");
    const outcomes = await bench.rounds(bench.times(2), subjects, (subject) =>
      bench.measure(
        subject,
        "deploy",
        { people: PEOPLE, rate: RATE },
        {
          serve: { variables: { HISTORY: "yes" } },
          on: (server) => ({
            async ready() {
              await server.kill();
              await server.start();
              return "up";
            },
          }),
          brief,
        },
      ),
    );
    const rows = subjects.map((subject, index) => {
      const runs = outcomes[index];
      const of = (figure) => spread(runs.map(figure));
      const worst = (name) => (runs.some((run) => run[name] == null) ? undefined : Math.max(...runs.map((run) => run[name])));
      const quantile = (name) => of((run) => sinceUp(run)?.[name]);
      return {
        name: subject.name,
        title: subject.title,
        p50: quantile("p50"),
        p99: quantile("p99"),
        max: quantile("max"),
        lost: worst("lost"),
        doubled: worst("doubled"),
        leaves: worst("leaves"),
        notRecovered: worst("not_recovered"),
      };
    });
    const [roomful] = rows;
    return {
      figures: rows,
      tables: [table(rows)],
      targets: [
        target("until all have resumed, from when the server is up", roomful.max, { atMost: RESUMED_MS, unit: " ms" }),
        target("messages lost", roomful.lost, { atMost: 0 }),
        target("messages doubled", roomful.doubled, { atMost: 0 }),
        target("leaves seen", roomful.leaves, { atMost: 0 }),
      ],
    };
  },
};

const sinceUp = ({ resumed_ms, resumed_from_up_ms, back_ms, back_from_up_ms }) =>
  resumed_from_up_ms ?? resumed_ms?.up ?? back_from_up_ms ?? back_ms?.up ?? resumed_ms ?? back_ms;
const brief = (run) =>
  `back after p50 ${sinceUp(run)?.p50} ms, all after ${sinceUp(run)?.max} ms; ${run.lost} lost, ${run.leaves ?? "no"} leaves`;

const table = (rows) => ({
  head: ["", "back after p50 ms", "p99", "all", "lost", "doubled", "leaves seen", "not recovered"],
  rows: rows.map((row) => [
    row.title,
    text(row.p50),
    text(row.p99),
    text(row.max),
    row.lost ?? "–",
    row.doubled ?? "–",
    row.leaves ?? "–",
    row.notRecovered ?? "–",
  ]),
});
