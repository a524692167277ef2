// A quiet room: what does the room add when it is not busy?
import { cores, ratio, spread, text } from "../statistics.mjs";
import { target } from "../targets.mjs";

const CROWDS = [10, 100];
const AT_MOST = 1.15;

export const quiet = {
  name: "quiet",
  title: "A quiet room",
  asks: "One person at a time says something, 20 messages a second in all; everybody gets it. How late?",

  async run(bench) {
    const subjects = bench.quick
      ? bench.only("roomful", "bare")
      : bench.only("roomful", "bare", "partyserver", "ws", "socketio", "sockudo");
    const cases = CROWDS.flatMap((people) => subjects.map((subject) => ({ people, subject })));
    // 20 messages a second are few: less than this is a handful of samples, the first of them of code that V8 still compiles.
    const window = bench.quick ? { warmup: 1, seconds: 3 } : { warmup: 3, seconds: 6 };
    const outcomes = await bench.rounds(bench.times(3), cases, ({ people, subject }) =>
      bench.measure(subject, "quiet", { people, senders: people, rate: 20, ...window, drain: 1, kind: "messages" }, { brief }),
    );
    const rows = cases.map(({ people, subject }, index) => {
      const runs = outcomes[index];
      const bare = outcomes[cases.findIndex((other) => other.people === people && other.subject.name === "bare")];
      const of = (figure) => spread(runs.map(figure));
      const against = (figure) => ratio(runs.map(figure), bare.map(figure));
      return {
        people,
        subject: subject.title,
        p50: of(p50),
        p99: of(p99),
        lost: Math.max(...runs.map(({ lost }) => lost)),
        p50ToBare: against(p50),
        p99ToBare: against(p99),
        cpu: of(({ server_cpu }) => cores(server_cpu)),
        cpuToBare: against(({ server_cpu }) => cores(server_cpu)),
      };
    });
    return {
      figures: rows,
      tables: [table(rows)],
      targets: CROWDS.map((people) => {
        const { p50ToBare } = rows.find((row) => row.people === people && row.subject === "Roomful");
        return target(`p50 among ${people}, by that of the bare object`, p50ToBare, { atMost: AT_MOST });
      }),
    };
  },
};

const p50 = ({ latency_ms }) => latency_ms.p50;
const p99 = ({ latency_ms }) => latency_ms.p99;
const brief = ({ latency_ms, lost }) => `p50 ${latency_ms.p50} ms, p99 ${latency_ms.p99} ms${lost ? `, ${lost} lost` : ""}`;

const table = (rows) => ({
  head: ["people", "", "p50 ms", "p99 ms", "lost", "p50 by bare's", "p99 by bare's", "server CPU", "CPU by bare's"],
  rows: rows.map((row) => [
    row.people,
    row.subject,
    text(row.p50),
    text(row.p99),
    row.lost,
    text(row.p50ToBare),
    text(row.p99ToBare),
    text(row.cpu, { scale: 100, unit: " %" }),
    text(row.cpuToBare),
  ]),
});
