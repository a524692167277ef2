// Runs a command as a step that says what it is doing and how long it took.
import { spawn } from "node:child_process";
import { environment, root } from "./project.mjs";

const TICK_MS = 10_000;

export const say = (text) => console.log(`roomful: ${text}`);
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** A step failed in a way that its message explains: no stack is needed. */
export class Failure extends Error {}

/**
 * Runs `work` and reports its beginning, its end, and every ten seconds in
 * between what `now()` says of its progress.
 */
export async function step(label, work, now = () => "") {
  const start = performance.now();
  say(`${label} …`);
  const ticker = setInterval(() => {
    const progress = now();
    say(`${label} … ${seconds(start)}${progress && ` (${progress})`}`);
  }, TICK_MS);
  try {
    const result = await work();
    say(`${label}: done in ${seconds(start)}`);
    return result;
  } catch (error) {
    say(`${label}: failed after ${seconds(start)}`);
    throw error;
  } finally {
    clearInterval(ticker);
  }
}

/** Runs a command with its output on the terminal; resolves to its exit code. */
export function start(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: environment(options.env),
      stdio: options.stdio ?? ["ignore", "inherit", "inherit"],
    });
    options.child?.(child);
    child.on("error", (error) => reject(missing(command, error)));
    child.on("close", (code, signal) => resolve(code ?? `signal ${signal}`));
  });
}

/** Runs a command as a step with its output shown; fails when it fails. */
export async function show(label, command, args, options) {
  await step(label, async () => {
    const code = await start(command, args, options);
    if (code !== 0) throw new Failure(`${label}: ${command} ended with ${code}`);
  });
}

/** Runs a command as a step; its output is shown only if it fails. */
export function quiet(label, command, args, options) {
  let last = "";
  return step(
    label,
    () => capture(command, args, options, (line) => (last = line)),
    () => last,
  );
}

/** Runs a command and resolves to what it printed; fails when it fails. */
export function capture(command, args, { env, signal } = {}, onLine = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: environment(env),
      stdio: ["ignore", "pipe", "pipe"],
      signal,
    });
    let output = "";
    const take = (chunk) => {
      output += chunk;
      const line = String(chunk).trim().split("\n").pop().trim();
      if (line) onLine(line.slice(0, 100));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.on("error", (error) => reject(missing(command, error)));
    child.on("close", (code) => {
      if (code === 0) return resolve(output);
      if (!signal?.aborted) process.stderr.write(output);
      reject(new Failure(`\`${command} ${args.join(" ")}\` ended with ${code}`));
    });
  });
}

function missing(command, error) {
  if (error.code === "ENOENT") return new Failure(`${command} was not found`);
  if (error.code === "ABORT_ERR") return new Failure(`${command} was stopped`);
  return error;
}

/** Runs a script's main function and turns a failure into an exit code. */
export async function main(work) {
  try {
    await work(process.argv.slice(2));
  } catch (error) {
    // Of options that nobody knows `parseArgs` says so itself.
    const explained = error instanceof Failure || error.code?.startsWith?.("ERR_PARSE_ARGS");
    console.error(`roomful: ${explained ? error.message : error.stack}`);
    process.exitCode = 1;
  }
}
