// Runs the simulation of tests/room/simulation with as many seeds as one likes, on all processors
// or on `--threads`:
//
//   npm run simulate -- [--seeds <n>] [--seconds <n>] [--from <seed>] [--kind <kind>] [--threads <n>]
//
// `--seeds` (1,000) is for each kind, from seed `--from` (0) on. Each seed that fails prints the
// line that repeats it, and the first at a place the fewest steps that show it; ten end the run.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { at } from "./project.mjs";
import { Failure, main, start } from "./step.mjs";

const options = {
  seeds: { type: "string", default: "1000" },
  seconds: { type: "string" },
  from: { type: "string", default: "0" },
  kind: { type: "string" },
  threads: { type: "string" },
};

const kinds = () =>
  [...readFileSync(at("tests/room/simulation/kind.rs"), "utf8").matchAll(/name: "(\w+)"/g)].map(([, name]) => name);

await main(async (args) => {
  const { seeds, seconds, from, kind, threads } = read(args);
  const env = { SEEDS: seeds, FROM: from };
  if (kind) env.KIND = kind;
  if (seconds) env.SECONDS = seconds;
  if (threads) env.THREADS = threads;
  const test = ["simulation::long", "--exact", "--ignored", "--nocapture"];
  const cargo = ["test", "--locked", "--quiet", "--profile", "simulate", "--test", "room", "--", ...test];
  if ((await start("cargo", cargo, { env })) !== 0) throw new Failure("the simulation found something");
});

function read(args) {
  const { values } = parseArgs({ args, options });
  for (const name of ["seeds", "seconds", "from", "threads"]) {
    if (values[name] !== undefined && !/^\d+$/.test(values[name])) throw new Failure(`--${name} takes a number`);
  }
  if (values.kind && !kinds().includes(values.kind)) {
    throw new Failure(`there is no kind ${values.kind}; the kinds are ${kinds().join(", ")}`);
  }
  return values;
}
