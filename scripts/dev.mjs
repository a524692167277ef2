// Serves the Worker on this machine and builds it again when a source changes:
//
//   [PORT=8787] npm run dev [-- <options of wrangler dev>]
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "./build.mjs";
import { at, node } from "./project.mjs";
import { Failure, main, say, start } from "./step.mjs";

const READY_MS = 60_000;

await main(async (options) => {
  const port = portNumber();
  await portIsFree(port);
  await build({ local: true });

  const configured = configuration(options);
  // Passed here and nowhere else: a Worker that was deployed without
  // configuration must refuse everybody.
  const anonymous = configured ? [] : ["--var", "ROOMFUL_ANONYMOUS:true"];
  const args = ["dev", "build-local/entry.mjs", "--port", String(port), ...anonymous, ...options];

  let running = true;
  let stopped = false;
  const served = start(node(), [at("node_modules", "wrangler", "bin", "wrangler.js"), ...args], {
    // What wrangler runs when a source changes: see [build] in wrangler.toml.
    env: { ROOMFUL_BUILD: "local" },
    stdio: "inherit",
    child(wrangler) {
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
        process.on(name, () => {
          stopped = true;
          wrangler.kill(name);
        });
      }
    },
  }).finally(() => (running = false));

  if (await answers(port, () => running)) welcome(port, configured);
  const code = await served;
  if (code !== 0 && !stopped) throw new Failure(`wrangler dev ended with ${code}`);
});

/** What tells the Worker who may come in: the command line, or a file that wrangler reads by itself. */
function configuration(options) {
  if (options.some((option) => /^(--var=)?ROOMFUL_/.test(option))) return "that of the command line";
  if (existsSync(at(".dev.vars"))) return ".dev.vars";
  if (!existsSync(at(".env"))) return undefined;
  return /^\s*(export )?ROOMFUL_/m.test(readFileSync(at(".env"), "utf8")) ? ".env" : undefined;
}

function portNumber() {
  const port = Number(process.env.PORT || 8787);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Failure(`PORT must be a number from 1 to 65535, not ${process.env.PORT}`);
}

async function portIsFree(port) {
  for (const host of ["127.0.0.1", "::1"]) {
    const error = await new Promise((resolve) => {
      const server = createServer();
      server.once("error", resolve);
      server.listen(port, host, () => server.close(() => resolve(null)));
    });
    if (error?.code === "EADDRINUSE") {
      throw new Failure(
        `port ${port} is taken: stop what uses it, or choose another with PORT=${port + 1} npm run dev`,
      );
    }
    if (error?.code === "EACCES") throw new Failure(`port ${port} is not allowed to this user`);
  }
}

async function answers(port, isRunning) {
  const deadline = performance.now() + READY_MS;
  while (isRunning() && performance.now() < deadline) {
    const response = await fetch(`http://localhost:${port}/health`).catch(() => null);
    await response?.body?.cancel();
    if (response) return true;
    await sleep(100);
  }
  return false;
}

function welcome(port, configured) {
  say("");
  say(`Roomful is running at http://localhost:${port} (is it well? http://localhost:${port}/health)`);
  say(
    configured
      ? `Its configuration is ${configured}: clients need a token unless that says otherwise.`
      : "Everybody is let in, and no token is looked at; for tokens, see .dev.vars.example.",
  );
  say("Join a room from a terminal, or from several:");
  say(`  npx wscat -c ws://localhost:${port}/room/lobby`);
  say("A change in src/ is built and served by itself. Ctrl-C stops.");
  say("");
}
