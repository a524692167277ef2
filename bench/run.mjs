// Measures a release build of Roomful, and its peers, under load: npm run bench [-- <options>]
//
//   --quick            each measurement once, and shorter; without the workloads that mostly wait
//   --only <name>      only this workload; may be given several times
//   --repeat <n>       runs each measurement so often, in turns; the median is reported (each workload knows its own number)
//   --var NAME=value   a variable of Roomful's Worker; may be given several times
//   --worker <folder>  another build than build/
//   --sockudo          with Sockudo, which is built first: some ten minutes, once
//   --out <folder>     for the results (bench/results)
//
// bench/README.md says what is measured and how to read it.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { at, root } from "../scripts/project.mjs";
import { setupPackages } from "../scripts/setup.mjs";
import { Failure, main, say } from "../scripts/step.mjs";
import { Bench, impossible } from "./bench.mjs";
import { buildLoad } from "./load.mjs";
import { machine, versions } from "./machine.mjs";
import { buildSockudo, sockudo } from "./peers/sockudo/serve.mjs";
import { report, write } from "./report.mjs";
import { bundlePeers, subjects } from "./subjects.mjs";
import { workloads } from "./workloads/index.mjs";

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      repeat: { type: "string" },
      only: { type: "string", multiple: true },
      var: { type: "string", multiple: true, default: [] },
      worker: { type: "string", default: "build" },
      sockudo: { type: "boolean", default: false },
      out: { type: "string", default: path.join("bench", "results") },
    },
  });
  const { quick, only } = values;
  const repeat = values.repeat === undefined ? undefined : Number(values.repeat);
  if (repeat !== undefined && !(Number.isInteger(repeat) && repeat > 0)) throw new Failure("--repeat needs a number");
  const chosen = workloads.filter(({ name, slow }) => (only ? only.includes(name) : !(quick && slow)));
  if (!chosen.length) throw new Failure(`no such workload; there are ${workloads.map(({ name }) => name).join(", ")}`);
  const variables = Object.fromEntries(values.var.map((text) => [text.split("=", 1)[0], text.slice(text.indexOf("=") + 1)]));
  const worker = path.resolve(root, values.worker);
  if (!existsSync(path.join(worker, "index_bg.wasm"))) throw new Failure(`${values.worker} holds no built Worker: npm run bench`);

  await buildLoad();
  await setupPackages(at("bench", "peers"));
  await bundlePeers();
  if (values.sockudo) await buildSockudo();
  const about = { at: new Date().toISOString(), machine: machine(), versions: versions(), size: wasmSize(worker) };
  if (values.sockudo) about.versions.sockudo = sockudo.version;
  const bench = new Bench({ subjects: subjects({ worker, variables, withSockudo: values.sockudo }), quick, repeat });
  const out = path.resolve(root, values.out);
  const method = methodOf({ quick, repeat, variables });
  const parts = [];
  for (const workload of chosen) {
    parts.push(await part(workload, bench));
    write({ out, name: "partial", ...about, method, parts });
  }

  // Only a whole run takes the place of the last one.
  const whole = !quick && !only && !values.var.length && values.worker === "build";
  const missed = report({ out, name: whole ? "latest" : "partial", ...about, method, parts });
  if (missed.length) say(`targets missed: ${missed.map(({ what, got }) => `${what} (${got})`).join("; ")}`);
  const failed = parts.filter((one) => one.failed);
  if (failed.length)
    throw new Failure(`could not be measured: ${failed.map(({ name, failed }) => `${name} (${failed})`).join("; ")}`);
});

/** One workload; what keeps it from being measured does not keep the others. */
async function part({ name, title, asks, run }, bench) {
  const began = performance.now();
  say(`${name}: ${title} …`);
  const found = await run(bench).catch((error) => ({ failed: impossible(error) }));
  const seconds = (performance.now() - began) / 1000;
  say(`${name}: ${found.failed ? `failed, ${found.failed},` : "done"} after ${seconds.toFixed(0)} s`);
  return { name, title, asks, seconds, ...found };
}

function methodOf({ quick, repeat, variables }) {
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return [
    quick
      ? "A quick look: each run once, and short."
      : "A figure is the median of several runs, in brackets the least and the most of them; one without brackets was measured once, or was the same each time. Runs of different subjects take turns.",
    repeat ? `Runs of each: ${repeat}.` : "",
    "Latencies count from when a message was due. CPU is what the operating system says of the server's process. Nothing is compressed.",
    set.length ? `With ${set.join(", ")}.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}

function wasmSize(folder) {
  const wasm = readFileSync(path.join(folder, "index_bg.wasm"));
  return { raw: wasm.length, gzipped: gzipSync(wasm, { level: 9 }).length };
}
