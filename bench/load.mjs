// Runs the load generator, and does what it waits for.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { at } from "../scripts/project.mjs";
import { Failure, quiet } from "../scripts/step.mjs";
import { guarded } from "./process.mjs";

const program = at("bench", "load", "target", "release", "load");
const GIVE_UP_AFTER_MS = 150_000;

export function buildLoad() {
  return quiet(
    "load generator",
    "cargo",
    ["build", "--release", "--locked", "--manifest-path", at("bench", "load", "Cargo.toml")],
    { env: { CARGO_TARGET_DIR: at("bench", "load", "target") } },
  );
}

/**
 * Puts a server under load; resolves to the result. `on` holds what to do at the generator's events: it waits until that is
 * done, and gets what it resolves to as a line (`go` unless it says otherwise).
 */
export function load({ port, pid, subject }, workload, options, on = {}) {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const args = [workload, "--address", `127.0.0.1:${port}`, "--pid", String(pid), ...flags];
  return new Promise((resolve, reject) => {
    const child = guarded(spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] }));
    const limit = setTimeout(() => child.kill("SIGKILL"), GIVE_UP_AFTER_MS);
    let complaints = "";
    let result;
    const fail = (reason) => {
      clearTimeout(limit);
      child.kill("SIGKILL");
      reject(reason instanceof Error ? reason : new Failure(`${subject}, ${workload}: ${reason}`));
    };
    child.stdin.on("error", () => {});
    child.stderr.on("data", (chunk) => (complaints += chunk));
    createInterface({ input: child.stdout }).on("line", async (line) => {
      try {
        const { event, ...figures } = JSON.parse(line);
        if (event === "result") result = figures;
        else child.stdin.write(`${(await on[event]?.(figures)) ?? "go"}\n`);
      } catch (error) {
        fail(error);
      }
    });
    child.on("error", fail);
    child.on("close", (code) => {
      clearTimeout(limit);
      if (code === 0 && result) resolve(result);
      else fail(complaints.trim().split("\n").pop() || `the load generator ended with ${code ?? "a signal"}`);
    });
  });
}
