// Puts everything that the other scripts need into place: npm packages, the
// wasm target and the pinned build tools. Costs a few milliseconds when nothing
// is missing, so every command begins with it.
import { existsSync, readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { at, lockedCrate } from "./project.mjs";
import { Failure, capture, main, quiet, say } from "./step.mjs";

export const WASM = "wasm32-unknown-unknown";
const MINIMUM_RUST = 95;

/** Sets up what is missing, independent parts at the same time. */
export async function setup() {
  checkRust();
  // Every part is waited for: none may go on in the background after a failure.
  const results = await Promise.allSettled([packages(), wasmTarget(), buildTools()]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
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

async function packages() {
  if (packagesAreCurrent()) return;
  await quiet("npm packages", "npm", [
    "ci",
    "--no-audit",
    "--no-fund",
    "--include=dev",
    "--include=optional",
  ]);
}

// npm writes node_modules/.package-lock.json last, so what it lists is there.
function packagesAreCurrent() {
  const installed = at("node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const have = JSON.parse(readFileSync(installed, "utf8")).packages;
  const want = JSON.parse(readFileSync(at("package-lock.json"), "utf8")).packages;
  return Object.entries(want).every(([place, wanted]) => {
    if (!place.startsWith("node_modules/")) return true;
    if (!have[place]) return Boolean(wanted.optional || wanted.peer);
    return have[place].version === wanted.version;
  });
}

async function wasmTarget() {
  const library = (await capture("rustc", ["--print", "target-libdir", "--target", WASM])).trim();
  if (existsSync(library)) return;
  await quiet("wasm target", "rustup", ["target", "add", WASM]);
}

// The tools only drive the compiler, so they are built with little optimisation:
// this takes half the time of a release build and costs a build nothing.
async function buildTools() {
  const tools = [
    { name: "worker-build", version: lockedCrate("worker"), bin: "worker-build", opt: 0 },
    // Must be exactly the version that the crate is built with.
    { name: "wasm-bindgen-cli", version: lockedCrate("wasm-bindgen"), bin: "wasm-bindgen", opt: 1 },
  ];
  const missing = tools.filter((tool) => !toolIsCurrent(tool));
  if (missing.some((tool) => tool.name === "worker-build")) await opensslHeaders();
  await Promise.all(missing.map(installTool));
}

// cargo's own record of what it installed under this root.
function toolIsCurrent({ name, version, bin }) {
  const record = at(".tools", ".crates2.json");
  if (!existsSync(record) || !existsSync(at(".tools", "bin", bin))) return false;
  const { installs } = JSON.parse(readFileSync(record, "utf8"));
  return Object.keys(installs).some((id) => id.startsWith(`${name} ${version} `));
}

async function installTool({ name, version, bin, opt }) {
  await quiet(
    `build tool ${name} ${version}`,
    "cargo",
    ["install", "--debug", "--root", at(".tools"), "--bin", bin, `${name}@${version}`],
    {
      CARGO_PROFILE_DEV_DEBUG: "0",
      CARGO_PROFILE_DEV_OPT_LEVEL: String(opt),
    },
  );
}

// worker-build links the system's OpenSSL on Linux.
async function opensslHeaders() {
  if (process.platform !== "linux") return;
  try {
    await capture("pkg-config", ["--exists", "openssl"]);
    return;
  } catch {
    // Not there, or no pkg-config to ask.
  }
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
  await quiet(`${label} (apt-get update)`, "apt-get", ["update"], env);
  await quiet(label, "apt-get", command.split(" ").slice(1), env);
}

if (process.argv[1] === at("scripts", "setup.mjs")) {
  await main(async () => {
    await setup();
    say("everything is in place");
  });
}
