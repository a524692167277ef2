// Starts the Worker and the app together, and ends both on Ctrl-C:
//
//   [PORT=3000] [WORKER_PORT=8787] npm run dev
//
// The Worker wants tokens, as in production. Their secret is made once, and kept in .env.local.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseEnv } from "node:util";
import { at, environment, node } from "../../../scripts/project.mjs";
import { Failure, main, say } from "../../../scripts/step.mjs";
import { here, setup } from "./setup.mjs";

const READY_MS = 300_000;

const port = Number(process.env.PORT || 3000);
const workerPort = Number(process.env.WORKER_PORT || 8787);
const app = `http://localhost:${port}`;
const worker = `http://localhost:${workerPort}`;

await main(async () => {
  await setup();
  const secret = secretOf(path.join(here, ".env.local"));
  const vars = { ROOMFUL_SECRETS: secret, ALLOWED_ORIGINS: app };
  const options = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const children = [
    run(process.execPath, [at("scripts", "dev.mjs"), ...options], at(), { PORT: String(workerPort) }),
    run(node(), [path.join("node_modules", "next", "dist", "bin", "next"), "dev", "--port", String(port)], here, {
      NEXT_PUBLIC_ROOMFUL_URL: worker,
      ROOMFUL_SECRET: secret,
      NEXT_TELEMETRY_DISABLED: "1",
    }),
  ];
  let stopped = false;
  const stop = () => {
    for (const { child } of children) child.kill("SIGTERM");
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => {
      stopped = true;
      stop();
    });
  }
  const ended = Promise.race(children.map(({ end }) => end));
  if (await Promise.race([answers(), ended.then(() => false)])) {
    say("");
    say(`Open ${app} in two windows: one of them private, to be somebody else there.`);
    say("Ctrl-C stops the app and the Worker.");
    say("");
  }
  const first = await ended;
  stop();
  await Promise.all(children.map(({ end }) => end));
  if (!stopped) throw new Failure(`${first} ended by itself`);
});

function run(command, args, cwd, env) {
  // In a group of its own, so that a terminal's Ctrl-C reaches it through us alone.
  const child = spawn(command, args, { cwd, env: environment(env), stdio: ["ignore", "inherit", "inherit"], detached: true });
  const end = new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(path.basename(args[0])));
  });
  return { child, end };
}

/** The secret of .env.local, which is written if there is none. */
function secretOf(file) {
  if (process.env.ROOMFUL_SECRET) return process.env.ROOMFUL_SECRET;
  if (!existsSync(file)) {
    const secret = randomBytes(32).toString("base64url");
    writeFileSync(file, `NEXT_PUBLIC_ROOMFUL_URL="${worker}"\nROOMFUL_SECRET="${secret}"\n`);
  }
  const { ROOMFUL_SECRET } = parseEnv(readFileSync(file, "utf8"));
  if (ROOMFUL_SECRET) return ROOMFUL_SECRET;
  throw new Failure(`${path.relative(at(), file)} has no ROOMFUL_SECRET`);
}

// The Worker first, for it takes longer, and the app writes a line for each request.
async function answers() {
  const deadline = performance.now() + READY_MS;
  for (const url of [`${worker}/health`, `${app}/sign-in`]) {
    const asks = () => fetch(url).then(({ ok }) => ok, () => false);
    while (!(await asks())) {
      if (performance.now() > deadline) return false;
      await sleep(250);
    }
  }
  return true;
}
