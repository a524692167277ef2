// Counts the instructions of the core's hot paths and compares them with baseline.json:
//
//   npm run bench -- --only instructions [--update] [--where]
//
//   --only instructions/flush   only scenarios whose name begins with flush; may be given several times
//   --update                    writes the counts into baseline.json
//   --where                     shows in which functions the instructions are
//
// README.md beside this says what is counted and how to read it.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { at } from "../../scripts/project.mjs";
import { aptInstall } from "../../scripts/setup.mjs";
import { Failure, capture, say, step } from "../../scripts/step.mjs";

/** A count may grow by this much. */
const TOLERANCE = 0.05;
const SUITE = "instructions";
const file = at("bench", SUITE, "baseline.json");
const folder = at("target", SUITE);
// The C library copies and compares with whatever the processor has; without these, alike on all of x86-64.
const hwcaps = ["AVX2", "AVX_Fast_Unaligned_Load", "ERMS", "FSRM"].map((name) => `-${name}`);
const env = { GLIBC_TUNABLES: `glibc.cpu.hwcaps=${hwcaps}` };

/** Whether the options of a benchmark ask for this one. */
export const asksForInstructions = (args) => args.some((arg) => arg.replace("--only=", "").split("/")[0] === SUITE);

export async function instructions(args) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true },
      update: { type: "boolean", default: false },
      where: { type: "boolean", default: false },
    },
  });
  if (spawnSync("valgrind", ["--version"]).status !== 0) await aptInstall("Valgrind", ["valgrind"]);
  const program = await compile();
  const names = (await capture(program, [])).trim().split("\n");
  const chosen = names.filter((name) => values.only.some((start) => `${SUITE}/${name}`.startsWith(start)));
  if (!chosen.length) throw new Failure("no scenario has such a name");
  mkdirSync(folder, { recursive: true });
  const counts = await step("counting", () => countAll(program, chosen));
  if (values.where) for (const name of chosen) console.log(where(name));

  const { rustc, processor, instructions: before } = JSON.parse(readFileSync(file, "utf8"));
  const same = processor === process.arch;
  console.log(table(counts, same ? before : {}));
  if (values.update) {
    const kept = same ? names.filter((name) => before[name]).map((name) => [name, before[name]]) : [];
    return save({ ...Object.fromEntries(kept), ...counts });
  }
  if (!same) return say(`the baseline is of another processor, ${processor}: nothing to compare with`);
  const grown = Object.keys(counts).filter((name) => counts[name] > before[name] * (1 + TOLERANCE));
  if (!grown.length) return say("no count has grown by more than 5 %");
  const other = rustc === compiler() ? "" : `; the baseline is of ${rustc}, this is ${compiler()}`;
  throw new Failure(`grown by more than 5 %: ${grown.join(", ")}${other}. If it is meant so: --update`);
}

async function compile() {
  let program;
  await step("compiling for callgrind", async () => {
    const args = ["bench", "--locked", "--no-run", "--bench", SUITE, "--message-format=json-render-diagnostics"];
    const lines = (await capture("cargo", args)).split("\n").filter((line) => line.startsWith("{"));
    program = lines.map((line) => JSON.parse(line).executable).find(Boolean);
  });
  return program;
}

/** A process for each, so that none finds what another one left in memory. */
async function countAll(program, names) {
  const counts = {};
  const waiting = names.values();
  const work = async () => {
    for (const name of waiting) counts[name] = await count(program, name);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return Object.fromEntries(names.map((name) => [name, counts[name]]));
}

const profile = (name) => path.join(folder, `${name.replaceAll("/", "-")}.callgrind`);

async function count(program, name) {
  const args = ["-q", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=measured"];
  await capture("valgrind", [...args, `--callgrind-out-file=${profile(name)}`, program, name], { env });
  const [, counted] = readFileSync(profile(name), "utf8").match(/^summary: (\d+)/m);
  return Number(counted);
}

/** The functions that most of a scenario's instructions are in. */
function where(name) {
  const text = execFileSync("callgrind_annotate", ["--auto=no", "--threshold=90", profile(name)], { encoding: "utf8" });
  const functions = text.slice(text.indexOf("PROGRAM TOTALS") + "PROGRAM TOTALS".length);
  const lines = functions.split("\n").filter((line) => /^ *[\d,]+ \(/.test(line));
  return [name, ...lines.map((line) => line.replace(/ \[.*?\]$/, "").replace(/\) +[^\s:]*:/, ") ")), ""].join("\n");
}

function table(counts, before) {
  const figure = (number) => (number ?? "new").toLocaleString("en").padStart(13);
  const rows = Object.entries(counts).map(([name, now]) => {
    const ratio = before[name] ? (now / before[name]).toFixed(3) : "";
    return `${name.padEnd(24)}${figure(before[name])} → ${figure(now)}  ${ratio}`;
  });
  return rows.join("\n");
}

function save(counts) {
  const baseline = { rustc: compiler(), processor: process.arch, instructions: counts };
  writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`);
  say("baseline.json holds these counts now");
}

function compiler() {
  return execFileSync("rustc", ["--version"], { encoding: "utf8" }).trim();
}
