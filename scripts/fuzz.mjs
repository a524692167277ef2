// Feeds made-up input to whatever reads untrusted text; fuzz/src/lib.rs lists the targets:
//
//   npm run fuzz [-- <target>… <options>]
//
//   --seconds <n>     how long for each target, two targets at a time (60)
//   --repeat <file>   runs one target with this input alone
//   --minimise        makes fuzz/corpus anew, of it and of what was found so far
//
// libFuzzer with stable Rust: cargo-fuzz would pass the compiler the same options, but a sanitizer, which
// only a nightly has. There is no unsafe code here for one to look at.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { at, root } from "./project.mjs";
import { aptInstall, setup } from "./setup.mjs";
import { Failure, capture, main, quiet, say, show, step } from "./step.mjs";

/** The targets, and the largest input of each in bytes: what a frame, a body, a token may have, and a little more. */
const targets = { frame: 70_000, http: 70_000, token: 12_000, attachment: 20_000, room: 4_000 };

const MEMORY_MB = 2_048;
/** How many inputs of each target the repository holds at most. */
const KEPT = 64;
/** An input that takes so many seconds hangs; a busy machine is given its time. */
const HANGS = 60;

const out = (...parts) => at("target", "fuzz", ...parts);
const corpus = (target) => at("fuzz", "corpus", target);

/** How cargo compiles the targets: instrumented as libFuzzer wants it. Build scripts are not, hence the named host. */
export function cargo(command) {
  const [, host] = execFileSync("rustc", ["-vV"], { encoding: "utf8" }).match(/^host: (.+)$/m);
  const coverage = ["level=4", "inline-8bit-counters", "pc-table", "trace-compares"];
  const flags = [
    ...["--cfg=fuzzing", "-Cpasses=sancov-module", "-Cllvm-args=-simplifycfg-branch-fold-threshold=0"],
    ...coverage.map((what) => `-Cllvm-args=-sanitizer-coverage-${what}`),
  ];
  const args = [command, "--locked", "--release", "--target", host, "--manifest-path", at("fuzz", "Cargo.toml")];
  return {
    args: [...args, "--target-dir", out()],
    env: { CARGO_ENCODED_RUSTFLAGS: flags.join("\x1f") },
    binary: (target) => out(host, "release", target),
  };
}

/** libFuzzer itself is compiled from C++. */
export async function cxx() {
  if (spawnSync("c++", ["--version"]).error) await aptInstall("a C++ compiler", ["g++"]);
}

/** Every target for a while, from the corpus alone and always in the same way: what CI does. */
export async function fuzzShortly(seconds, [only]) {
  if (only && !targets[only]) throw new Failure(`there is no target ${only}`);
  const binary = await build();
  const fresh = (target) => {
    rmSync(out("short", target), { recursive: true, force: true });
    return out("short", target);
  };
  await pairs(only ? [only] : Object.keys(targets), (target) =>
    fuzz(binary(target), target, fresh(target), seconds, ["-seed=1"]),
  );
}

async function build() {
  await cxx();
  const { args, env, binary } = cargo("build");
  await quiet("fuzzing targets", "cargo", args, { env });
  return binary;
}

/** Runs a target; what it finds goes into `found`. */
async function fuzz(binary, target, found, seconds, options = []) {
  mkdirSync(found, { recursive: true });
  for (const [name, text] of Object.entries(large(target))) writeFileSync(path.join(found, name), text);
  rmSync(out("crashes", target), { recursive: true, force: true });
  mkdirSync(out("crashes", target), { recursive: true });
  const dictionary = at("fuzz", "dictionaries", `${target}.dict`);
  const args = [
    ...[found, corpus(target), `-max_total_time=${seconds}`, `-max_len=${targets[target]}`, ...options],
    ...[`-timeout=${HANGS}`, `-rss_limit_mb=${MEMORY_MB}`, `-artifact_prefix=${out("crashes", target)}/`],
    // A course of events is no text.
    ...(target === "room" ? [] : [`-dict=${dictionary}`]),
  ];
  let last = "";
  try {
    const work = () => capture(binary, args, {}, (line) => (last = line));
    const output = await step(`fuzzing ${target}`, work, () => last.replaceAll(/\s+/g, " "));
    const [, runs, coverage, features, files] = output.match(/^#(\d+)\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\d+)/m);
    say(`${target}: ${runs} inputs, ${coverage} edges, ${features} features, ${files} inputs worth keeping`);
  } catch (error) {
    for (const crash of readdirSync(out("crashes", target))) {
      const file = path.relative(root, out("crashes", target, crash));
      say(`to see it again: npm run fuzz -- ${target} --repeat ${file}`);
      say(`to keep it: cp ${file} fuzz/corpus/${target}/`);
    }
    throw error;
  }
}

/** Inputs at the limits, which mutation alone would take long to grow and the repository need not hold. */
function large(target) {
  if (target !== "frame" && target !== "http") return {};
  const publish = (data) => `{"type":"publish","room":"r","event":"e","data":${data}}`;
  const keys = Array.from({ length: 4_000 }, (_, key) => `"k${key}":${key}`);
  return {
    long: publish(`"${"x".repeat(65_000)}"`),
    deep: publish("[".repeat(30_000) + "]".repeat(30_000)),
    keys: `{"type":"state","patch":{${keys}}}`,
    many: `{"messages":[${Array(100).fill(publish('"a"'))}]}`,
    array: `[${Array(100).fill(publish(`"${"\\u00e9".repeat(80)}"`))}]`,
  };
}

/** The few inputs that reach most of what the corpus and all that was found so far reach. */
async function minimise(binary, target) {
  const [all, least, control] = [out("corpus", target), out("least"), out("merge.txt")];
  mkdirSync(all, { recursive: true });
  cpSync(corpus(target), all, { recursive: true });
  for (const made of [least, control]) rmSync(made, { recursive: true, force: true });
  mkdirSync(least, { recursive: true });
  // Edges alone, not how often each is passed.
  const options = ["-merge=1", `-merge_control_file=${control}`, "-use_counters=0", "-max_len=4096"];
  await quiet(`minimising ${target}`, binary, [...options, least, all]);
  const kept = mostTelling(readFileSync(control, "utf8"));
  for (const name of readdirSync(corpus(target))) {
    // What has crashed once stays, and so does whatever else was given a name.
    if (/^[0-9a-f]{40}$/.test(name)) rmSync(path.join(corpus(target), name));
  }
  for (const file of kept) cpSync(file, path.join(corpus(target), path.basename(file)));
  const bytes = kept.reduce((sum, file) => sum + statSync(file).size, 0);
  say(`fuzz/corpus/${target}: ${kept.length} files, ${bytes} bytes`);
}

/** The files that add most, one after the other; a merge notes what each reaches, the smallest file first. */
function mostTelling(control) {
  const lines = control.split("\n");
  const files = lines.slice(2, 2 + Number(lines[0]));
  const reach = lines.filter((line) => line.startsWith("FT ")).map((line) => line.split(" ").slice(1));
  const left = new Map(reach.map(([file, ...features]) => [file, features]));
  const seen = new Set();
  const kept = [];
  while (kept.length < KEPT) {
    for (const [file, features] of left) left.set(file, features.filter((feature) => !seen.has(feature)));
    const [file, features] = [...left].reduce((best, other) => (other[1].length > best[1].length ? other : best), ["", []]);
    if (!features.length) break;
    features.forEach((feature) => seen.add(feature));
    left.delete(file);
    kept.push(files[file]);
  }
  return kept;
}

/** Two at a time: that many cores are common. One that fails does not hide what the others find. */
async function pairs(names, work) {
  const waiting = [...names];
  const failed = [];
  const worker = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      await work(name).catch((error) => failed.push(error));
    }
  };
  await Promise.all([worker(), worker()]);
  if (failed.length) throw failed[0];
}

if (process.argv[1] === at("scripts", "fuzz.mjs")) {
  await main(async (args) => {
    const text = { type: "string" };
    const options = { seconds: text, repeat: text, minimise: { type: "boolean" } };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const unknown = positionals.find((name) => !targets[name]);
    if (unknown) throw new Failure(`there is no target ${unknown}; the targets are ${Object.keys(targets).join(", ")}`);
    const chosen = positionals.length ? positionals : Object.keys(targets);
    const seconds = Number(values.seconds ?? 60);
    if (!(seconds >= 1)) throw new Failure("--seconds needs a number of at least 1");
    if (values.repeat && positionals.length !== 1) throw new Failure("--repeat needs one target");
    await setup();
    const binary = await build();
    if (values.repeat) {
      const [target] = positionals;
      await show(`${target} with ${values.repeat}`, binary(target), [path.resolve(values.repeat)]);
    } else if (values.minimise) {
      for (const target of chosen) await minimise(binary(target), target);
    } else {
      await pairs(chosen, (target) => fuzz(binary(target), target, out("corpus", target), seconds));
    }
  });
}
