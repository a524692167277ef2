// The protocol's own client in 20 lines, as it stands there, against the real server.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { at } from "../../scripts/project.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const [, example] = /<!-- example.*?```js\n(.*?)```/s.exec(readFileSync(at("docs", "protocol.md"), "utf8"));

/** Runs the example as a page would; `lines` is what it prints. */
function page(owner, server) {
  const lines = [];
  const context = vm.createContext({
    WebSocket,
    // The page's timers end with the page.
    setInterval: (...values) => setInterval(...values).unref(),
    clearInterval,
    setTimeout,
    crypto: { randomUUID },
    console: { log: (...values) => lines.push(values) },
  });
  vm.runInContext(example.replace("ws://localhost:8787", server.url.replace("http", "ws")), context);
  const run = (code) => vm.runInContext(code, context);
  owner.after(() => run("socket.onclose = () => {}; socket.close()"));
  return { lines, run };
}

test("r2 the 20 lines join, publish and lose nothing when the server is killed", async (t) => {
  assert.ok(example.split("\n").filter((line) => line.trim()).length <= 32, "the example has grown");
  const vars = { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" };
  const server = await startServer(t, { vars });
  const [ana, bob] = [page(t, server), page(t, server)];
  const ready = ({ run }) => run("socket.readyState === 1 && offset !== undefined");
  await until(() => ready(ana) && ready(bob), "both to be connected");

  ana.run('publish("chat", "one")');
  await until(() => bob.lines.length === 1, "the first message");
  await server.kill();
  bob.run('publish("chat", "two")');
  await server.start();
  await until(() => bob.run("outbox.size") === 0 && ana.lines.length === 2, "both to have resumed", { within: 20_000 });

  const said = ({ lines }) => lines.map(([, , data]) => data);
  await until(() => said(bob).length === 2, "the sender to see its own message");
  assert.deepEqual([said(ana), said(bob)], [["one", "two"], ["one", "two"]]);
});
