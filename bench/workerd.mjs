// A Worker to measure: raw `workerd serve`, which has fewer layers than a development server.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import workerd from "workerd";
import { at, node } from "../scripts/project.mjs";
import { Server, freePort, temporary } from "./process.mjs";

const COMPATIBILITY_DATE = readFileSync(at("wrangler.toml"), "utf8").match(/^compatibility_date = "(.+)"$/m)[1];
const KINDS = { ".mjs": "esModule", ".js": "esModule", ".wasm": "wasm" };

/** The modules of a folder that `npm run build` made: [name, file]. */
export function built(folder) {
  const others = readdirSync(folder).filter((name) => name !== "entry.mjs" && path.extname(name) in KINDS);
  return ["entry.mjs", ...others].map((name) => [name, path.join(folder, name)]);
}

/**
 * Starts a Worker; resolves when it has answered. The first of `modules` is the one that runs, and its object is `Room`;
 * `variables` are bindings. `counting` puts count/entry.mjs before it, which then answers /bench/rows.
 */
export async function serve(subject, modules, { variables = {}, counting = false } = {}) {
  const folder = temporary();
  mkdirSync(path.join(folder, "storage"));
  const [[, first], ...others] = modules;
  const named = [["entry.mjs", first], ...others];
  const all = counting ? [["count.mjs", at("bench", "count", "entry.mjs")], ...named] : named;
  for (const [name, file] of all) copyFileSync(file, path.join(folder, name));
  const port = await freePort();
  const names = all.map(([name]) => name);
  writeFileSync(path.join(folder, "config.capnp"), config(names, variables, port));
  const server = new Server({ subject, folder, port, command: workerd.default, args: ["serve", "config.capnp", "config"] });
  return server.start();
}

// What is still in the journal goes into the database: otherwise its size would be that of the journal.
const CHECKPOINT = `new (require("node:sqlite").DatabaseSync)(process.argv[1]).prepare("PRAGMA wal_checkpoint(TRUNCATE)").all()`;

/** What a Worker that was halted has on disk for its objects, in bytes. */
export function stored({ folder }) {
  const storage = path.join(folder, "storage");
  const databases = readdirSync(storage, { recursive: true })
    .filter((name) => name.endsWith(".sqlite") && path.basename(name) !== "metadata.sqlite")
    .map((name) => path.join(storage, name));
  for (const file of databases) execFileSync(node(), ["--no-warnings", "-e", CHECKPOINT, file]);
  return databases.reduce((sum, file) => sum + statSync(file).size, 0);
}

function config(names, variables, port) {
  const embedded = names.map((name) => `(name = "${name}", ${KINDS[path.extname(name)]} = embed "${name}")`);
  const texts = Object.entries(variables).map(
    ([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(String(value))})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "disk", disk = (path = "storage", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${embedded.join(", ")}],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  durableObjectNamespaces = [(className = "Room", uniqueKey = "room", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [${['(name = "ROOMS", durableObjectNamespace = "Room")', ...texts].join(", ")}],
);
`;
}
