// Breaks the room in one place after another, and sees whether the tests notice:
//
//   npm run mutants -- [<part of a promise or file>] [--seeds <n>]
//
// The list is in tests/mutants. Nothing happens to the work tree: the sources are copied to
// target/mutants. Each mutant meets the simulation first, with a few seeds of each kind, and then
// the tests of the room, rule by rule. One that survives both, and of which the list does not say
// why it may, is a failure.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { mutants, mutate } from "../tests/mutants/list.mjs";
import { at, environment } from "./project.mjs";
import { Failure, main, say } from "./step.mjs";

const folder = at("target", "mutants");
const tree = path.join(folder, "tree");
const copied = ["Cargo.toml", "Cargo.lock", "src", "tests", "bench/instructions"];
/** So long may a run take; a mutant that takes longer hangs. */
const PATIENCE_MS = 180_000;
/** And so long a build, of which the first is everything. */
const BUILD_MS = 1_200_000;
/** And so much memory, in KiB. */
const MEMORY_KIB = 4_000_000;

const env = { CARGO_TARGET_DIR: path.join(folder, "target"), SHORTEN: "0" };

await main(async (args) => {
  const options = { seeds: { type: "string", default: "40" } };
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const wanted = ({ promise, file }) => positionals.every((part) => promise.includes(part) || file.includes(part));
  const chosen = mutants.filter(wanted);
  if (!chosen.length) throw new Failure(`no mutant has ${positionals.join(" and ")} in its promise or file`);
  copy();
  say("the room as it is …");
  const whole = await meet(values.seeds);
  if (whole) throw new Failure(`the room as it is does not pass: ${whole}`);
  const rows = [];
  for (const mutant of chosen) {
    const outcome = await attempt(mutant, values.seeds);
    say(`${mutant.promise} (${mutant.file}): ${outcome ?? "SURVIVES"}`);
    rows.push({ mutant, outcome });
  }
  table(rows);
});

/** Brings the copy up to date, touching only what differs, so that little is compiled anew. */
function copy() {
  mkdirSync(tree, { recursive: true });
  const here = new Set(copied.flatMap((name) => [...files(at(), name)]));
  for (const file of here) put(file, readFileSync(at(file)));
  for (const file of copied.flatMap((name) => [...files(tree, name)])) {
    if (!here.has(file)) rmSync(path.join(tree, file));
  }
}

function* files(root, name) {
  const place = path.join(root, name);
  if (!existsSync(place)) return;
  const entries = readdirSync(path.dirname(place), { withFileTypes: true });
  if (entries.find((entry) => entry.name === path.basename(place)).isFile()) return yield name;
  for (const entry of readdirSync(place)) if (entry !== "node_modules") yield* files(root, path.join(name, entry));
}

function put(file, text) {
  const place = path.join(tree, file);
  if (existsSync(place) && readFileSync(place).equals(Buffer.from(text))) return;
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, text);
}

/** What catches a mutant; `undefined` if nothing does. */
async function attempt(mutant, seeds) {
  // As it was copied: somebody may be working on the sources meanwhile.
  const source = readFileSync(path.join(tree, mutant.file), "utf8");
  put(mutant.file, mutate(mutant, source));
  try {
    return await meet(seeds);
  } finally {
    put(mutant.file, source);
  }
}

/** What in the copy fails first: the simulation, or a test of the room. */
async function meet(seeds) {
  const build = await run("cargo", ["test", "--locked", "--test", "room", "--no-run", "--message-format=json"], BUILD_MS);
  if (build.code === "late") throw new Failure("compiling takes longer than 20 minutes");
  if (build.code !== 0) throw new Failure(`it does not compile:\n${build.errors}`);
  const artifacts = build.output.split("\n").filter((line) => line.includes('"executable":"'));
  const { executable } = JSON.parse(artifacts.pop());
  const runs = [
    ["the simulation", ["simulation::"], { SEEDS: seeds }],
    ["the room's tests", ["--skip", "simulation::"], {}],
  ];
  for (const [name, filter, extra] of runs) {
    const limited = `ulimit -v ${MEMORY_KIB} 2>/dev/null; exec "$0" "$@"`;
    const { code, output } = await run("bash", ["-c", limited, executable, ...filter], PATIENCE_MS, extra);
    if (code === 0) continue;
    if (code === "late") return `${name}: it hangs`;
    const failed = [...output.matchAll(/^test (\S+) \.\.\. FAILED$/gm)].map(([, test]) => test.replace("simulation::", ""));
    const why = output.match(/panicked at [^\n]*\n([^\n]*)/)?.[1] ?? `it ends with ${code}`;
    return `${name}: ${failed.slice(0, 2).join(", ")}${failed.length > 2 ? ", …" : ""}: ${why.slice(0, 110)}`;
  }
  return undefined;
}

function run(command, args, milliseconds, extra = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: tree, env: environment({ ...env, ...extra }) });
    const all = { output: "", errors: "" };
    let late = false;
    const patience = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, milliseconds);
    child.stdout.on("data", (chunk) => (all.output += chunk));
    child.stderr.on("data", (chunk) => (all.errors += chunk));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(patience);
      resolve({ ...all, code: late ? "late" : (code ?? signal) });
    });
  });
}

function table(rows) {
  console.log("\n| promise | broken in | caught by |\n| --- | --- | --- |");
  for (const { mutant, outcome } of rows) {
    const caught = outcome ?? (mutant.survives ? `nothing: ${mutant.survives}` : "NOTHING");
    console.log(`| ${mutant.promise} | ${mutant.file} | ${caught.replaceAll("|", "\\|")} |`);
  }
  const surviving = rows.filter(({ mutant, outcome }) => !outcome && !mutant.survives);
  const explained = rows.filter(({ mutant, outcome }) => !outcome && mutant.survives).length;
  console.log();
  say(`${rows.length} mutants, ${rows.length - surviving.length - explained} caught, ${explained} explained`);
  if (surviving.length) throw new Failure(`${surviving.length} survive`);
}
