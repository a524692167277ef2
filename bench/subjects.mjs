// What is measured: Roomful, and its peers. `serve` starts a fresh server with empty storage; `flags` are how the load
// generator speaks with it. What is an `object` says at its path since when it is awake.
import { readFileSync } from "node:fs";
import { at, node } from "../scripts/project.mjs";
import { capture } from "../scripts/step.mjs";
import { Server, freePort, temporary } from "./process.mjs";
import { sockudo } from "./peers/sockudo/serve.mjs";
import { built, serve } from "./workerd.mjs";

const peers = (...parts) => at("bench", "peers", ...parts);
const bundle = at("target", "bench", "partyserver.mjs");

/** All subjects by name. `worker` is a folder with a built Roomful, `variables` are for it; Sockudo only where it is. */
export function subjects({ worker, variables, withSockudo }) {
  const all = [
    {
      name: "roomful",
      title: "Roomful",
      object: true,
      flags: { speaks: "roomful", path: "/room/bench" },
      serve: (options = {}) => {
        const all = { ROOMFUL_ANONYMOUS: true, ...options.variables, ...variables };
        return serve("roomful", built(worker), { ...options, variables: all });
      },
    },
    {
      name: "bare",
      title: "bare object",
      object: true,
      flags: { speaks: "plain", path: "/room/bench" },
      serve: (options) => serve("bare", [["bare.mjs", peers("bare", "worker.mjs")]], options),
    },
    {
      name: "partyserver",
      title: "PartyServer",
      object: true,
      flags: { speaks: "plain", path: "/parties/rooms/bench" },
      serve: (options) => serve("partyserver", [["partyserver.mjs", bundle]], options),
    },
    { name: "ws", title: "ws", flags: { speaks: "plain", path: "/room/bench" }, serve: () => serveNode("ws") },
    {
      name: "socketio",
      title: "Socket.IO",
      flags: { speaks: "socketio", path: "/socket.io/" },
      serve: () => serveNode("socketio"),
    },
    ...(withSockudo ? [sockudo] : []),
  ];
  return Object.fromEntries(all.map((subject) => [subject.name, subject]));
}

async function serveNode(name) {
  const [folder, port] = [temporary(), await freePort()];
  const env = { NODE_ENV: "production" };
  return new Server({ subject: name, folder, port, command: node(), args: [peers(name, "server.mjs")], env }).start();
}

/** PartyServer's worker is bundled as `wrangler deploy` would. */
export async function bundlePeers() {
  const args = [peers("partyserver", "server.mjs"), "--bundle", "--format=esm", "--minify", "--log-level=warning"];
  await capture("esbuild", [...args, "--external:cloudflare:workers", `--outfile=${bundle}`]);
}

/** The versions of the peers that are installed. */
export function peerVersions() {
  const installed = (name) => JSON.parse(readFileSync(peers("node_modules", name, "package.json"), "utf8")).version;
  return { partyserver: installed("partyserver"), ws: installed("ws"), "socket.io": installed("socket.io") };
}
