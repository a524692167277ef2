// Puts everything that the other scripts need into place: npm packages, the
// wasm target and the pinned build tools. Costs a few milliseconds when nothing
// is missing, so every command begins with it.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { lock } from "./lock.mjs";
import { at, lockedCrate, root } from "./project.mjs";
import { Failure, main, quiet, say } from "./step.mjs";

export const WASM = "wasm32-unknown-unknown";
const MINIMUM_RUST = 95;

/**
 * Sets up what is missing. If the build tools are missing, `meanwhile` can use
 * the time that compiling them takes.
 */
export async function setup(meanwhile = async () => {}) {
  checkRust();
  if (isSetUp()) return;
  const release = await lock(at("target", "setup.lock"), "another command to set things up");
  try {
    await install(meanwhile);
  } finally {
    release();
  }
}

/** Sets up the npm packages of a folder alone: who builds the client or an example needs no Rust. */
export async function setupPackages(folder = root) {
  if (packagesAreCurrent(folder)) return;
  const release = await lock(at("target", "setup.lock"), "another command to set things up");
  try {
    await packages({}, folder);
  } finally {
    release();
  }
}

const isSetUp = () => packagesAreCurrent() && wasmTargetIsThere() && tools().every(isCurrent);

// Independent parts run at the same time. When one fails the others are stopped,
// so that its message is the last.
async function install(meanwhile) {
  const missing = tools().filter((tool) => !isCurrent(tool));
  const stop = new AbortController();
  const options = { signal: stop.signal };
  const target = wasmTarget(options);
  const parts = [packages(options), target, buildTools(missing, options)];
  if (missing.length) parts.push(target.then(() => meanwhile(options)));
  const ended = parts.map((part) => part.catch(() => stop.abort()));
  try {
    await Promise.all(parts);
  } finally {
    await Promise.all(ended);
  }
}

function checkRust() {
  let version;
  try {
    version = execFileSync("rustc", ["--version"], { encoding: "utf8" });
  } catch {
    throw new Failure("Rust is needed: install it from https://rustup.rs, then try again");
  }
  const [, minor] = version.match(/^rustc 1\.(\d+)/) ?? [];
  if (minor && Number(minor) < MINIMUM_RUST) {
    throw new Failure(`Rust 1.${MINIMUM_RUST} or later is needed (\`rustup update\`); this is ${version.trim()}`);
  }
}

async function packages(options, folder = root) {
  if (packagesAreCurrent(folder)) return;
  const args = ["ci", "--prefix", folder, "--no-audit", "--no-fund", "--include=dev", "--include=optional"];
  // The npm that runs this script, with its own Node: the one in node_modules
  // would be taken away while it works.
  const { npm_node_execpath: node, npm_execpath: npm } = process.env;
  const command = node && npm ? [node, npm, ...args] : ["npm", ...args];
  const label = folder === root ? "npm packages" : `npm packages of ${path.relative(root, folder)}`;
  await quiet(label, command[0], command.slice(1), options);
}

// npm writes node_modules/.package-lock.json last, so what it lists is there.
function packagesAreCurrent(folder = root) {
  const installed = path.join(folder, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const have = JSON.parse(readFileSync(installed, "utf8")).packages;
  const want = JSON.parse(readFileSync(path.join(folder, "package-lock.json"), "utf8")).packages;
  return Object.entries(want).every(([place, wanted]) => {
    if (!place.startsWith("node_modules/")) return true;
    if (!have[place]) return Boolean(wanted.optional || wanted.peer);
    return have[place].version === wanted.version;
  });
}

function wasmTargetIsThere() {
  const args = ["--print", "target-libdir", "--target", WASM];
  return existsSync(execFileSync("rustc", args, { encoding: "utf8" }).trim());
}

async function wasmTarget(options) {
  if (wasmTargetIsThere()) return;
  await quiet("wasm target", "rustup", ["target", "add", WASM], options);
}

// The tools only drive the compiler, so they are built with little optimisation:
// that takes half the time of a release build and costs a build nothing.
function tools() {
  const bindgen = ["Cargo.toml", "Cargo.lock", "src/main.rs"].map((name) => at("scripts", "bindgen", name));
  const wasmBindgen = lockedCrate("wasm-bindgen");
  if (lockedCrate("wasm-bindgen-cli-support", bindgen[1]) !== wasmBindgen) {
    throw new Failure(`scripts/bindgen must use wasm-bindgen-cli-support ${wasmBindgen}, as Cargo.lock does`);
  }
  const workerBuild = lockedCrate("worker");
  return [
    {
      name: "worker-build",
      id: workerBuild,
      args: ["--debug", "--bin", "worker-build", `worker-build@${workerBuild}`],
    },
    {
      name: "bindgen",
      id: createHash("sha256").update(bindgen.map((file) => readFileSync(file)).join()).digest("hex"),
      args: ["--path", at("scripts", "bindgen")],
    },
  ];
}

/** What tells one state of the build tools from another. */
export const toolIds = () => tools().map((tool) => `${tool.name} ${tool.id}`);

const stampOf = (tool) => at(".tools", `${tool.name}.installed`);

function isCurrent(tool) {
  if (!existsSync(stampOf(tool)) || !existsSync(at(".tools", "bin", tool.name))) return false;
  return readFileSync(stampOf(tool), "utf8") === tool.id;
}

async function buildTools(missing, options) {
  if (missing.some((tool) => tool.name === "worker-build")) await opensslHeaders();
  await Promise.all(missing.map((tool) => buildTool(tool, options)));
}

async function buildTool(tool, options) {
  // A folder of its own, so that what was stopped goes on where it was.
  const target = at(".tools", "target", tool.name);
  const args = ["install", "--locked", "--force", "--root", at(".tools"), ...tool.args];
  const env = { CARGO_TARGET_DIR: target, CARGO_PROFILE_DEV_DEBUG: "0" };
  await quiet(`build tool ${tool.name}`, "cargo", args, { ...options, env });
  writeFileSync(stampOf(tool), tool.id);
  rmSync(target, { recursive: true, force: true });
}

// worker-build links the system's OpenSSL on Linux.
async function opensslHeaders() {
  if (process.platform !== "linux") return;
  if (spawnSync("pkg-config", ["--exists", "openssl"]).status === 0) return;
  await aptInstall("OpenSSL's headers", ["libssl-dev", "pkg-config"]);
}

/** Installs Debian packages when allowed to, and otherwise says what to do. */
export async function aptInstall(label, names) {
  const command = `apt-get install -y --no-install-recommends ${names.join(" ")}`;
  if (!existsSync("/usr/bin/apt-get")) {
    throw new Failure(`${label} not found: install what your system calls ${names.join(" and ")}`);
  }
  if (process.getuid() !== 0) throw new Failure(`${label} not found: run \`sudo ${command}\``);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await quiet(`${label} (apt-get update)`, "apt-get", ["update"], { env });
  await quiet(label, "apt-get", command.split(" ").slice(1), { env });
}

if (process.argv[1] === at("scripts", "setup.mjs")) {
  await main(async () => {
    await setup();
    say("everything is in place");
  });
}
