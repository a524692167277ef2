// The built Worker in workerd itself, with storage that outlives the process: what can be killed and started again.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import workerd from "workerd";
import { at } from "../../scripts/project.mjs";
import { until } from "./until.mjs";

const [, configuredDate] = /^compatibility_date = "(.+)"$/m.exec(readFileSync(at("wrangler.toml"), "utf8"));

/** What tests/watch puts before a Worker; the first is the main module. */
export const WATCH = [
  ["watch.mjs", at("tests", "watch", "entry.mjs")],
  ["memory.mjs", at("tests", "watch", "memory.mjs")],
];

/** The secret that signs the tests' tokens unless they say otherwise. */
export const SECRET = "a secret of the tests with 32 bytes and more";

/** Those to be cleared away should the file end before its tests do. */
const servers = new Set();
process.on("exit", () => {
  for (const server of servers) server.abandon();
});

/**
 * Starts a server that is stopped, and its storage removed, when `owner` ends: a test, or `test` itself for all of
 * a file.
 *
 * `vars` are the Worker's variables, lists and objects among them; without `ROOMFUL_SECRETS: undefined` there is the tests' secret. `folder` is a
 * build's. `under` is a command that is to run the server's in its folder, as disk.mjs has them. `watched` puts tests/watch before
 * the Worker. `dataset` is the port of a service that gets the data points of an Analytics Engine dataset.
 */
export async function startServer(owner, options = {}) {
  const { vars = {}, folder = "build", date = configuredDate, under = [], watched = false, dataset } = options;
  const server = new Server(vars, at(folder), date, under, watched, dataset);
  owner.after(() => server.dispose());
  await server.start();
  return server;
}

class Server {
  #configure;
  #folder;
  #port = 0;
  #child;
  /** Whether the child is no more, and all that it wrote was read. */
  #ended = true;
  #under;

  /** What it wrote to its standard output and error. */
  log = "";

  constructor(vars, build, date, under, watched, dataset) {
    this.#under = under;
    // A copy: whoever builds meanwhile must not change what a restart finds.
    this.#folder = mkdtempSync(path.join(tmpdir(), "roomful-"));
    mkdirSync(path.join(this.#folder, "storage"));
    const files = readdirSync(build).filter((name) => /\.(mjs|js|wasm)$/.test(name));
    const modules = files.map((name) => [name, path.join(build, name)]);
    // The main module is the first.
    modules.sort(([a], [b]) => (b === "entry.mjs") - (a === "entry.mjs"));
    if (watched) modules.unshift(...WATCH);
    for (const [name, file] of modules) copyFileSync(file, path.join(this.#folder, name));
    this.#configure = (vars) => {
      const text = configuration(modules, { ROOMFUL_SECRETS: SECRET, ...vars }, date, watched, dataset);
      writeFileSync(path.join(this.#folder, "server.capnp"), text);
    };
    this.#configure(vars);
    servers.add(this);
  }

  /** Where it listens; the same after a restart. */
  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The folder in which each room has a database. */
  get storage() {
    return path.join(this.#folder, "storage", "room");
  }

  /** Its process. */
  get pid() {
    return this.#child?.pid;
  }

  /** What the process holds in memory, in bytes; undefined where /proc does not say. */
  get memory() {
    try {
      return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"))[1]) * 1024;
    } catch {
      return undefined;
    }
  }

  async start() {
    // Where it was before, whoever looks for it may just have been given its port for their own end of a connection.
    for (let times = 0; !(await this.#launch()); times++) {
      if (times === 20 || !/already in use/.test(this.log)) throw new Error(`workerd does not start: ${this.log}`);
      await pause(250);
    }
  }

  async #launch() {
    const address = `http=127.0.0.1:${this.#port}`;
    const serve = ["serve", "--experimental", "--control-fd=3", "--socket-addr", address, "server.capnp"];
    const [command, ...args] = [...this.#under, workerd.default, ...serve];
    const child = spawn(command, args, { cwd: this.#folder, stdio: ["ignore", "pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#ended = false;
    child.on("error", (error) => {
      this.log += error.message;
    });
    child.on("close", () => {
      this.#ended = true;
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        this.log += text;
      });
    }
    let control = "";
    child.stdio[3].setEncoding("utf8").on("data", (text) => {
      control += text;
    });
    const listening = () => /"event":"listen".*"port":(\d+)/.exec(control)?.[1];
    await until(() => listening() || this.#ended, "workerd to listen", { within: 60_000 });
    if (!listening()) return false;
    this.#port = Number(listening());
    return true;
  }

  /** Ends the process as a crash does: nothing is told to anybody, and nothing is kept but what is on disk. */
  async kill() {
    if (this.#ended) return;
    // A hung event keeps workerd from obeying anything milder.
    this.#child.kill("SIGKILL");
    await until(() => this.#ended, "workerd to end");
  }

  /** Crashes it and starts it again with the same storage. */
  async restart() {
    await this.kill();
    await this.start();
  }

  /** As a deploy with other variables does. */
  async redeploy(vars) {
    await this.kill();
    this.#configure(vars);
    await this.start();
  }

  async dispose() {
    await this.kill();
    this.abandon();
  }

  /** Leaves nothing behind, without waiting for anything. */
  abandon() {
    servers.delete(this);
    this.#child?.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function configuration(modules, vars, date, watched, dataset) {
  const text = JSON.stringify;
  const names = modules.map(([name]) => name);
  const kind = (name) => (name.endsWith(".wasm") ? "wasm" : "esModule");
  // What is no text in `[vars]` comes as JSON, as with a deploy.
  const binding = (value) =>
    typeof value === "object" ? `json = ${text(text(value))}` : `text = ${text(String(value))}`;
  const bindings = Object.entries(vars)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `(name = ${text(name)}, ${binding(value)})`);
  if (dataset) bindings.push(`(name = "METRICS", analyticsEngine = "points")`);
  const points = dataset ? `(name = "points", external = (address = "127.0.0.1:${dataset}", http = ())),` : "";
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${watched ? text("--expose-gc") : ""}],
  services = [
    (name = "main", worker = .worker),
    (name = "storage", disk = (path = "storage", writable = true)),
    # Key sets are on this machine.
    (name = "internet", network = (allow = ["public", "private"])),
    ${points}
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${names.map((name) => `(name = ${text(name)}, ${kind(name)} = embed ${text(name)})`).join(", ")}],
  compatibilityDate = ${text(date)},
  compatibilityFlags = [${watched ? text("unsafe_module") : ""}],
  durableObjectNamespaces = [(className = "Room", uniqueKey = "room", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"),
  bindings = [(name = "ROOMS", durableObjectNamespace = "Room"), ${bindings.join(", ")}],
);
`;
}
