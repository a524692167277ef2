// A server to measure: raw `workerd serve`, which has fewer layers than a development server, with a folder of its own for
// its storage and its output.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import workerd from "workerd";
import { at, environment } from "../scripts/project.mjs";
import { Failure } from "../scripts/step.mjs";

const START_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 5_000;
const COMPATIBILITY_DATE = readFileSync(at("wrangler.toml"), "utf8").match(/^compatibility_date = "(.+)"$/m)[1];

/** What can be served: Roomful as built into a folder, or the yardstick. */
export const roomful = (folder) => ({ name: "roomful", modules: built(folder) });
export const bare = { name: "bare", modules: [["worker.mjs", "esModule", at("bench", "bare", "worker.mjs")]] };

// entry.mjs first: workerd runs the first module. Which others it imports is its own matter.
function built(folder) {
  const kinds = { ".mjs": "esModule", ".js": "esModule", ".wasm": "wasm" };
  const others = readdirSync(folder).filter((name) => name !== "entry.mjs" && path.extname(name) in kinds);
  return ["entry.mjs", ...others].map((name) => [name, kinds[path.extname(name)], path.join(folder, name)]);
}

const running = new Set();
const folders = new Set();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** A child that does not outlive this process. */
export function guarded(child) {
  running.add(child);
  child.on("exit", () => running.delete(child));
  return child;
}

/** Starts a server; resolves when it has answered. `variables` are bindings. */
export async function serve({ modules }, { variables = {}, v8Flags = [] } = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), "roomful-bench-"));
  folders.add(folder);
  const port = await freePort();
  mkdirSync(path.join(folder, "storage"));
  for (const [name, , file] of modules) copyFileSync(file, path.join(folder, name));
  const log = path.join(folder, "log.txt");
  writeFileSync(path.join(folder, "config.capnp"), config(modules, variables, v8Flags, port));
  const began = performance.now();
  const output = openSync(log, "w");
  const child = guarded(
    spawn(workerd.default, ["serve", "config.capnp", "config"], {
      cwd: folder,
      env: environment(),
      stdio: ["ignore", output, output],
    }),
  );
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const stop = async () => {
    child.kill("SIGTERM");
    const killing = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    await ended;
    clearTimeout(killing);
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  };
  try {
    await answers(child, port, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, pid: child.pid, startedIn: performance.now() - began, folder, log: () => readFileSync(log, "utf8"), stop };
}

async function answers(child, port, log) {
  const until = performance.now() + START_WITHIN_MS;
  while (performance.now() < until && child.exitCode === null) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(START_WITHIN_MS) });
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // It does not listen yet.
    }
    await wait(5);
  }
  throw new Failure(`workerd did not answer:\n${readFileSync(log, "utf8").slice(0, 2000)}`);
}

function config(modules, variables, v8Flags, port) {
  const embedded = modules.map(([name, kind]) => `(name = "${name}", ${kind} = embed "${name}")`);
  const texts = Object.entries({ ROOMFUL_ANONYMOUS: "true", ...variables }).map(
    ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(String(value))})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = "storage", writable = true)),
  ],
  v8Flags = ${JSON.stringify(v8Flags)},
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${embedded.join(", ")}],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  durableObjectNamespaces = [(className = "Room", uniqueKey = "room", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [(name = "ROOMS", durableObjectNamespace = "Room"), ${texts.join(", ")}],
);
`;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The most memory that a process has used so far, in bytes; undefined where /proc does not say. */
export function peakMemory(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmHWM:\s+(\d+) kB/)[1]) * 1024;
  } catch {
    return undefined;
  }
}
