// The processes that are measured: each with a folder of its own, none outliving this one.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { environment } from "../scripts/project.mjs";
import { Failure } from "../scripts/step.mjs";

const START_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 5_000;

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

/** A folder that does not outlive this process. */
export function temporary() {
  const folder = mkdtempSync(path.join(tmpdir(), "roomful-bench-"));
  folders.add(folder);
  return folder;
}

/**
 * A server under measurement. `command` and `args` start it, in `folder`, with `env`; it listens on `port`, and is up when
 * `health` is answered.
 */
export class Server {
  constructor({ subject, folder, port, command, args, env = {}, health = "/health" }) {
    Object.assign(this, { subject, folder, port, command, args, env, health });
    this.logFile = path.join(folder, "log.txt");
  }

  get pid() {
    return this.child.pid;
  }

  /** Resolves when it has answered. */
  async start() {
    const began = performance.now();
    const output = openSync(this.logFile, "a");
    this.child = guarded(
      spawn(this.command, this.args, {
        cwd: this.folder,
        env: { ...environment(this.env), PORT: String(this.port) },
        stdio: ["ignore", output, output],
      }),
    );
    this.ended = new Promise((resolve) => this.child.on("close", resolve));
    try {
      await this.#answers();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.startedIn = performance.now() - began;
    return this;
  }

  async #answers() {
    const until = performance.now() + START_WITHIN_MS;
    while (performance.now() < until && this.child.exitCode === null) {
      try {
        const response = await fetch(`http://127.0.0.1:${this.port}${this.health}`, {
          signal: AbortSignal.timeout(START_WITHIN_MS),
        });
        await response.arrayBuffer();
        if (response.ok) return;
      } catch {
        // It does not listen yet.
      }
      await wait(5);
    }
    const log = existsSync(this.logFile) ? readFileSync(this.logFile, "utf8") : "";
    throw new Failure(`${this.subject} did not answer:\n${log.slice(0, 2000)}`);
  }

  /** Ends it as a crash would: nothing is written any more. */
  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** Ends it, but keeps what it stored. */
  async halt() {
    this.child.kill("SIGTERM");
    const killing = setTimeout(() => this.child.kill("SIGKILL"), STOP_WITHIN_MS);
    await this.ended;
    clearTimeout(killing);
  }

  /** Ends it, and forgets what it stored. */
  async stop() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
    folders.delete(this.folder);
  }

  /** What it answers to a GET, as JSON. */
  async ask(place) {
    const response = await fetch(`http://127.0.0.1:${this.port}${place}`, { signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Failure(`${this.subject} answered ${place} with ${response.status}`);
    return response.json();
  }

  /** What the process holds in memory now, in bytes; undefined where /proc does not say. */
  memory() {
    try {
      return Number(readFileSync(`/proc/${this.pid}/status`, "utf8").match(/VmRSS:\s+(\d+) kB/)[1]) * 1024;
    } catch {
      return undefined;
    }
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
