// Everything that can be checked without running the Worker. All checks run, so
// that one look tells all that is wrong.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "./build.mjs";
import { checkClient } from "./client.mjs";
import * as fuzzing from "./fuzz.mjs";
import { at, root } from "./project.mjs";
import { checkRules } from "./rules.mjs";
import { WASM, setup } from "./setup.mjs";
import { Failure, capture, main, quiet, say, step } from "./step.mjs";

const WASM_GZIPPED_BYTES = 250_000;
const SCRIPT_LINES = 300;

const bindgen = ["--manifest-path", at("scripts", "bindgen", "Cargo.toml")];
const deny = ["--", "-D", "warnings"];
const fuzz = ["--manifest-path", at("fuzz", "Cargo.toml")];
const checks = [
  () => quiet("formatting (repair: cargo fmt --all)", "cargo", ["fmt", "--check", "--all"]),
  () => quiet("formatting of scripts/bindgen", "cargo", ["fmt", "--check", ...bindgen]),
  () => quiet("formatting of fuzz", "cargo", ["fmt", "--check", ...fuzz]),
  () => quiet("clippy, native", "cargo", ["clippy", "--locked", "--all-targets", ...deny]),
  () => quiet("clippy, wasm", "cargo", ["clippy", "--locked", "--lib", "--target", WASM, ...deny]),
  () =>
    quiet("clippy, wasm with panic-on-purpose", "cargo", [
      ...["clippy", "--locked", "--lib", "--target", WASM, "--features", "panic-on-purpose"],
      ...deny,
    ]),
  checkFuzz,
  () => step("scripts", checkScripts),
  checkClient,
  () => checkPackageLock(),
  () => checkPackageLock("examples/nextjs"),
  () => checkPackageLock("bench/peers"),
  () => checkRules(),
  checkSize,
];

await main(async () => {
  await setup();
  let failed = 0;
  for (const check of checks) {
    try {
      await check();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      say(error.message);
      failed += 1;
    }
  }
  if (failed) throw new Failure(`${failed} of ${checks.length} checks failed`);
  say(`all ${checks.length} checks passed`);
});

// With the options of the targets' own build, which so need not compile libFuzzer again.
async function checkFuzz() {
  await fuzzing.cxx();
  const { args, env } = fuzzing.cargo("clippy");
  await quiet("clippy, fuzz", "cargo", [...args, "--all-targets", ...deny], { env });
}

// Bundling finds what `node --check` does not: imports of files and of names that
// do not exist. The Worker's own modules are looked at one by one, since the build
// makes what they import. What esbuild writes is not used.
async function checkScripts() {
  const esbuild = async (files, ...options) => {
    const quietly = ["--log-level=warning", `--outdir=${at("target", "checked")}`, "--format=esm"];
    const warnings = await capture("esbuild", [...files, ...quietly, ...options]);
    if (warnings.trim()) throw new Failure(warnings);
  };
  const files = ["scripts", "tests", "bench"].flatMap(modules);
  await esbuild(files, "--bundle", "--platform=node", "--packages=external");
  await esbuild(modules("src/worker"));
  const long = modules("scripts").filter((file) => lines(file) > SCRIPT_LINES);
  if (long.length) throw new Failure(`longer than ${SCRIPT_LINES} lines: ${long.join(", ")}`);
}

function modules(folder) {
  if (!existsSync(at(folder))) return [];
  return readdirSync(at(folder), { recursive: true, withFileTypes: true })
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .filter((file) => /\.m?js$/.test(file) && !file.includes("node_modules"));
}

function lines(file) {
  return readFileSync(at(file), "utf8").split("\n").length;
}

// npm drops another platform's package from the lock file when the registry at
// hand lacks it, and then `npm ci` refuses everywhere; it writes the address of a
// registry into it unless configured not to, and then only that one serves.
function checkPackageLock(folder = "") {
  const file = path.join(folder, "package-lock.json");
  const { packages } = JSON.parse(readFileSync(at(file), "utf8"));
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${place}/node_modules/${name}`],
    ),
  );
  if (missing.length) throw new Failure(`${file} lacks ${missing.join(", ")}`);
  const addressed = Object.keys(packages).filter((place) => /^https?:/.test(packages[place].resolved ?? ""));
  if (addressed.length) {
    throw new Failure(
      `${file} names a registry for ${addressed.length} packages: ` +
        "npm install --omit-lockfile-registry-resolved",
    );
  }
  say(`${file}: complete, and bound to no registry`);
}

async function checkSize() {
  const folder = await build();
  const bytes = gzipSync(readFileSync(path.join(folder, "index_bg.wasm")), { level: 9 }).length;
  const size = `the Worker's wasm has ${bytes.toLocaleString("en")} bytes gzipped`;
  const limit = WASM_GZIPPED_BYTES.toLocaleString("en");
  if (bytes > WASM_GZIPPED_BYTES) throw new Failure(`${size}; the limit is ${limit}`);
  say(`${size}, within ${limit}`);
}
