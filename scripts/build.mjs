// Builds the Worker into a folder that wrangler can load:
//
//   node scripts/build.mjs [--local] [--features <names>] [--out <folder>] [--force]
//
// Without options: what is deployed, in build/. `--local` compiles a change in
// seconds rather than making the fastest code, in build-local/. Nothing is done
// when neither the sources nor the tools changed since the folder was built.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { lock } from "./lock.mjs";
import { at, root } from "./project.mjs";
import { Failure, main, quiet, say } from "./step.mjs";
import { WASM, setup, toolIds } from "./setup.mjs";

const STAMP = ".built";
const PAGE = "page.mjs";

/** Builds unless the folder is current; resolves to the folder. */
export async function build({ local = false, features = "", out, force = false } = {}) {
  await setup((options) => compileAhead({ local, features }, options));
  const folder = path.resolve(root, out ?? (local ? "build-local" : "build"));
  if (!folder.startsWith(root + path.sep)) throw new Failure("--out must be inside the project");
  const release = await lock(at("target", "build.lock"), "another build");
  try {
    const stamp = fingerprint({ local, features });
    if (!force && isCurrent(folder, stamp)) return folder;
    rmSync(path.join(folder, STAMP), { force: true });
    await compile({ local, features, folder });
    for (const name of modules()) {
      copyFileSync(at("src", "worker", name), path.join(folder, name));
    }
    writeFileSync(path.join(folder, PAGE), pageModule());
    writeFileSync(path.join(folder, STAMP), stamp);
    return folder;
  } finally {
    release();
  }
}

function compile({ local, features, folder }) {
  const relative = path.relative(root, folder);
  // wasm-opt takes longer than everything else; a local build goes without.
  const profile = local ? ["--profile", "local", "--no-opt"] : ["--release"];
  // The last options are cargo's: worker-build hands on what it does not know.
  const cargo = features ? ["--features", features] : [];
  return quiet(
    `Worker into ${relative}/${features && ` with ${features}`}`,
    "worker-build",
    [...profile, "--out-dir", relative, ...cargo],
    // A compiler's message is the whole story; worker-build's own stack is not.
    { env: { RUST_BACKTRACE: "0", RUST_LIB_BACKTRACE: "0" } },
  );
}

// While the tools are built: the part of compile() that does without them. The
// variable is what worker-build sets for it, and part of what cargo reuses.
function compileAhead({ local, features }, options) {
  const args = ["build", "--lib", "--target", WASM, "--profile", local ? "local" : "release"];
  if (features) args.push("--features", features);
  return quiet("Worker's crates", "cargo", args, { ...options, env: { WASM_BINDGEN_USE_JS_SYS: "1" } });
}

/** The JavaScript modules of the Worker that are not compiled: entry.mjs and what it imports. */
const modules = () => readdirSync(at("src", "worker")).filter((name) => name.endsWith(".mjs"));

// The first page as a module: inside the wasm every room's isolate would carry it, in production as well. It is one
// text out of the files in src/worker/page, which keep their comments and indentation for themselves.
function pageModule() {
  const read = (name) => readFileSync(at("src", "worker", "page", name), "utf8");
  const taken = new Set();
  const script = (name) => {
    if (taken.has(name)) return "";
    taken.add(name);
    const imported = [...read(name).matchAll(/^import .* from "\.\/(.+)";$/gm)].map(([, other]) => script(other));
    return imported.join("") + read(name).replace(/^import .*\n|^export /gm, "");
  };
  const page = read("index.html")
    .replace(/<link rel="stylesheet" href="(.+)">/g, (_, name) => `<style>\n${read(name)}</style>`)
    .replace(/<script type="module" src="(.+)">/, (_, name) => `<script type="module">\n${script(name)}`)
    .replace(/^ *(\/\*[^]*?\*\/|\/\/ .*)$|(?<=[;,{]) \/\/ .*$/gm, "")
    .replace(/\n\s+/g, "\n");
  return `export default ${JSON.stringify(page)};\n`;
}

function isCurrent(folder, stamp) {
  const file = path.join(folder, STAMP);
  const emitted = ["index.js", "index_bg.wasm", PAGE, ...modules()];
  return (
    existsSync(file) &&
    readFileSync(file, "utf8") === stamp &&
    emitted.every((name) => existsSync(path.join(folder, name)))
  );
}

function fingerprint(options) {
  const hash = createHash("sha256");
  hash.update(JSON.stringify(options));
  hash.update(execFileSync("rustc", ["--version"]));
  hash.update(toolIds().join());
  const sources = readdirSync(at("src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)));
  const others = [".cargo/config.toml", "Cargo.toml", "Cargo.lock", "package-lock.json", "scripts/build.mjs"];
  for (const name of [...sources.sort(), ...others]) {
    hash.update(`\0${name}\0`);
    hash.update(readFileSync(at(name)));
  }
  return hash.digest("hex");
}

if (process.argv[1] === at("scripts", "build.mjs")) {
  // Set by `npm run dev`, whose wrangler calls this when a source changes and
  // ends when this fails: a mistake in a source must not stop it, so it goes on
  // serving what it has.
  const serving = process.env.ROOMFUL_BUILD === "local";
  await main(async (args) => {
    const { values } = parseArgs({
      args,
      options: {
        local: { type: "boolean", default: serving },
        features: { type: "string" },
        out: { type: "string" },
        force: { type: "boolean" },
      },
    });
    const started = performance.now();
    const folder = await build(values);
    say(`${path.relative(root, folder)}/ is up to date (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  });
  if (serving && process.exitCode) {
    say("what was built before goes on being served");
    process.exitCode = 0;
  }
}
