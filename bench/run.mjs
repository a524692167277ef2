// Measures a release build of Roomful under load: npm run bench [-- <options>]
//
//   --quick            fewer workloads, and shorter
//   --repeat <n>       runs each workload so often, in turns, and reports the median (3)
//   --only <name>      only workloads whose name begins so; may be given several times
//   --no-bare          without the yardstick
//   --var NAME=value   a variable of the Worker; may be given several times
//   --worker <folder>  another build than build/
//   --out <folder>     for the results (bench/results)
//
// bench/README.md says what is measured and how to read it.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { at, root } from "../scripts/project.mjs";
import { Failure, main, quiet, say } from "../scripts/step.mjs";
import { report } from "./report.mjs";
import { bare, guarded, peakMemory, roomful, serve } from "./server.mjs";
import { workloads } from "./workloads.mjs";

const STARTS = 5;
const load = at("bench", "load", "target", "release", "load");

await main(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      repeat: { type: "string" },
      only: { type: "string", multiple: true },
      "no-bare": { type: "boolean", default: false },
      var: { type: "string", multiple: true, default: [] },
      worker: { type: "string", default: "build" },
      out: { type: "string", default: path.join("bench", "results") },
    },
  });
  const { quick } = values;
  const repeat = Number(values.repeat ?? (quick ? 1 : 3));
  if (!Number.isInteger(repeat) || repeat < 1) throw new Failure("--repeat needs a number");
  const variables = Object.fromEntries(values.var.map((text) => [text.split("=", 1)[0], text.slice(text.indexOf("=") + 1)]));
  const folder = path.resolve(root, values.worker);
  if (!existsSync(path.join(folder, "index_bg.wasm"))) throw new Failure(`${values.worker} holds no built Worker: npm run bench`);

  await buildLoad();
  const subjects = { roomful: roomful(folder), bare };
  const chosen = workloads({ quick, bare: !values["no-bare"] }).filter(
    ({ name }) => !values.only || values.only.some((start) => name.startsWith(start)),
  );
  if (!chosen.length) throw new Failure("no workload has such a name");
  const size = wasmSize(folder);
  const starts = await startUps(values["no-bare"] ? { roomful: subjects.roomful } : subjects, quick ? 3 : STARTS);
  const runs = [];
  for (let round = 1; round <= repeat; round++) {
    for (const workload of chosen) {
      const run = await measure(subjects[workload.subject], workload, variables);
      runs.push({ workload, ...run });
      say(`${workload.name} (${round} of ${repeat}): ${brief(run.result)}`);
    }
  }
  const missed = report({ out: path.resolve(root, values.out), runs, starts, size, variables, repeat, quick });
  if (missed.length) say(`targets missed: ${missed.join("; ")}`);
});

function buildLoad() {
  return quiet(
    "load generator",
    "cargo",
    ["build", "--release", "--locked", "--manifest-path", at("bench", "load", "Cargo.toml")],
    { env: { CARGO_TARGET_DIR: at("bench", "load", "target") } },
  );
}

function wasmSize(folder) {
  const wasm = readFileSync(path.join(folder, "index_bg.wasm"));
  return { raw: wasm.length, gzipped: gzipSync(wasm, { level: 9 }).length };
}

/** From the start of the process to its first answer, and from a connection to a new room's `welcome`: milliseconds each. */
async function startUps(subjects, times) {
  const starts = [];
  for (const [name, subject] of Object.entries(subjects)) {
    for (let time = 0; time < times; time++) {
      const server = await serve(subject);
      try {
        const flags = name === "bare" ? ["--bare"] : [];
        const { connect_ms } = await crowd(server, ["--people", "1", "--rate", "0", "--seconds", "0", "--warmup", "0", ...flags]);
        starts.push({ subject: name, answered: server.startedIn, welcomed: connect_ms.max });
      } finally {
        await server.stop();
      }
    }
  }
  return starts;
}

/** One workload against a fresh server with empty storage. */
async function measure(subject, workload, variables) {
  const server = await serve(subject, { variables });
  try {
    const idle = peakMemory(server.pid);
    const result = await crowd(server, workload.flags, workload.seconds);
    const summary = subject === bare ? undefined : await summaryOf(server);
    return { result, summary, memory: { idle, peak: peakMemory(server.pid) } };
  } finally {
    await server.stop();
  }
}

async function summaryOf({ port }) {
  const response = await fetch(`http://127.0.0.1:${port}/room/bench`, { signal: AbortSignal.timeout(10_000) });
  const { offset, history } = await response.json();
  return { offset, history };
}

/** Runs the load generator against a server; it is given a minute more than it should take. */
function crowd({ port, pid }, flags, seconds = 0) {
  return new Promise((resolve, reject) => {
    const args = ["--address", `127.0.0.1:${port}`, "--pid", String(pid), ...flags];
    const child = guarded(spawn(load, args, { stdio: ["ignore", "pipe", "inherit"] }));
    const limit = setTimeout(() => child.kill("SIGKILL"), (seconds + 60) * 1000);
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(limit);
      if (code === 0) resolve(Promise.resolve(output).then(JSON.parse));
      else reject(new Failure(`the load generator ended with ${code ?? "a signal"}`));
    });
  });
}

function brief({ latency_ms, published, expected, delivered, doubled, complaint, server_cpu }) {
  const lost = expected - delivered;
  const parts = [
    `${published.toLocaleString("en")} messages`,
    latency_ms && `p50 ${latency_ms.p50} ms, p99 ${latency_ms.p99} ms`,
    lost && `${((100 * lost) / expected).toFixed(2)} % not delivered`,
    doubled && `${doubled} doubled`,
    server_cpu && `server at ${(100 * (server_cpu.user + server_cpu.system)).toFixed(0)} %`,
    complaint,
  ];
  return parts.filter(Boolean).join(", ");
}
