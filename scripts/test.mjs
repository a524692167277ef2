// Runs the tests, all of them or some:
//
//   npm test [-- <suite> [<filter>]]
//
//   native   cargo test; the filter is a part of a test's name
//   unit     node --test over what needs no server; a part of a file's path
//   fuzz     every fuzzing target for some seconds (npm run fuzz); the filter is a target
//   workerd  node --test against the built Worker in the real runtime; likewise
//   browser  node --test with Chromium; likewise
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { chromium } from "./chromium.mjs";
import { fuzzShortly } from "./fuzz.mjs";
import { buildExample } from "./nextjs.mjs";
import { at, node, root } from "./project.mjs";
import { Failure, main, say, show } from "./step.mjs";
import { setup } from "./setup.mjs";

/** For each target, beside the replay of its corpus. */
const FUZZ_SECONDS = 8;
/** For a test, and for all of a file's together: they know by themselves what to wait for and how long. */
const TIMEOUT_MS = 300_000;

const suites = {
  native: (filter) => show("native tests", "cargo", ["test", "--locked", ...filter]),
  unit: (filter) => nodeTests("unit tests", ["tests/unit", "client/tests/unit"], filter),
  fuzz: (filter) => fuzzShortly(FUZZ_SECONDS, filter),
  async workerd(filter) {
    await build();
    // Its test would build it as well, but while others measure times, and as long as a test may take.
    if ("tests/workerd/panic.test.mjs".includes(filter[0] ?? "")) {
      await build({ features: "panic-on-purpose", out: "build-panic" });
    }
    // Most of what they do is wait.
    await nodeTests("tests in workerd", ["tests/workerd", "client/tests/workerd"], filter, {}, 2);
  },
  async browser(filter) {
    await build();
    await buildExample();
    // One file at a time: a busy machine makes people's pages slow, and time is what some of them are about.
    await nodeTests("tests in Chromium", ["tests/browser"], filter, { CHROMIUM_PATH: await chromium() });
  },
};

await main(async ([name, ...filter]) => {
  if (name && !suites[name]) {
    throw new Failure(`there is no suite ${name}; the suites are ${Object.keys(suites).join(", ")}`);
  }
  await setup();
  const failed = [];
  // A failing suite does not hide what the others have to say.
  for (const suite of name ? [name] : Object.keys(suites)) {
    try {
      await suites[suite](filter);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      say(error.message);
      failed.push(suite);
    }
  }
  if (failed.length) throw new Failure(`failed: ${failed.join(", ")}`);
  say("all tests passed");
});

async function nodeTests(label, folders, [filter, ...options], env = {}, atOnce = 1) {
  const files = folders
    .flatMap(testFiles)
    .filter((file) => !filter || file.includes(filter))
    .sort();
  if (files.length === 0) {
    if (filter) throw new Failure(`${label}: no file's path holds ${filter}`);
    return say(`${label}: there are none yet`);
  }
  const settings = ["--test-reporter=spec", `--test-concurrency=${atOnce}`, `--test-timeout=${TIMEOUT_MS}`];
  const args = ["--test", ...settings, ...options, ...files];
  await show(label, node(), args, { env });
}

function testFiles(folder) {
  if (!existsSync(at(folder))) return [];
  return readdirSync(at(folder), { recursive: true, withFileTypes: true })
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .filter((file) => /\.test\.(mjs|js|ts)$/.test(file) && !file.includes("node_modules"));
}
