// Sockudo, a Pusher server in Rust, as it comes from crates.io. Only where --sockudo asks for it: it is built for minutes.
import { existsSync } from "node:fs";
import { at } from "../../../scripts/project.mjs";
import { quiet } from "../../../scripts/step.mjs";
import { Server, freePort, temporary } from "../../process.mjs";

const VERSION = "5.2.0";
const tools = at(".tools", "sockudo");
const program = at(".tools", "sockudo", "bin", "sockudo");

/** Builds it unless it is there, with the fewest features, and without what makes linking slow. */
export async function buildSockudo() {
  if (existsSync(program)) return;
  const args = ["install", "--locked", "--root", tools, "--no-default-features", "--features", "local", `sockudo@=${VERSION}`];
  const profile = { LTO: "off", CODEGEN_UNITS: "16", DEBUG: "0" };
  const env = Object.fromEntries(Object.entries(profile).map(([name, value]) => [`CARGO_PROFILE_RELEASE_${name}`, value]));
  await quiet(`Sockudo ${VERSION}`, "cargo", args, { env: { ...env, CARGO_TARGET_DIR: at(".tools", "sockudo", "target") } });
}

export const sockudo = {
  name: "sockudo",
  title: "Sockudo",
  version: VERSION,
  flags: { speaks: "pusher", path: "/app/app-key" },

  async serve() {
    const [folder, port] = [temporary(), await freePort()];
    const app = { ID: "bench", KEY: "app-key", SECRET: "app-secret", ENABLED: "true", ENABLE_CLIENT_MESSAGES: "true" };
    const limits = { MAX_CONNECTIONS: "100000", MAX_CLIENT_EVENTS_PER_SECOND: "1000000" };
    const entries = Object.entries({ ...app, ...limits }).map(([name, value]) => [`SOCKUDO_DEFAULT_APP_${name}`, value]);
    const env = {
      ...Object.fromEntries(entries),
      HOST: "127.0.0.1",
      METRICS_ENABLED: "false",
      RATE_LIMITER_ENABLED: "false",
      RUST_LOG: "warn",
    };
    return new Server({ subject: "sockudo", folder, port, command: program, args: [], env, health: "/up" }).start();
  },
};
