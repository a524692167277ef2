// Where it was measured, and with what.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import { at, environment, lockedCrate, node, root } from "../scripts/project.mjs";
import { peerVersions } from "./subjects.mjs";

export function machine() {
  const cpus = os.cpus();
  return {
    processor: cpus[0].model.trim(),
    cores: cpus.length,
    memory: os.totalmem(),
    system: `${os.type()} ${os.release()}`,
    load: Number(os.loadavg()[0].toFixed(1)),
  };
}

export const versions = () => ({ ...ownVersions(), ...peerVersions() });

/** What Roomful is made of, without its peers. */
export function ownVersions() {
  const workerd = JSON.parse(readFileSync(at("node_modules", "workerd", "package.json"), "utf8")).version;
  const changed = told("git", ["status", "--porcelain", "--", "src", "Cargo.lock", "wrangler.toml"]);
  return {
    roomful: told("git", ["rev-parse", "--short", "HEAD"]) + (changed ? " with changes" : ""),
    worker: lockedCrate("worker"),
    workerd,
    node: told(node(), ["--version"]).slice(1),
    rustc: told("rustc", ["--version"]).split(" ")[1],
  };
}

function told(command, args) {
  try {
    return execFileSync(command, args, { cwd: root, env: environment(), encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
