// What the READMEs say that it runs, runs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { at } from "../../../scripts/project.mjs";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { createClient } from "../../src/index.ts";
import { examples } from "../documents.ts";

const shown = examples().filter(({ runs }) => runs);
test("both READMEs show a room that runs", () => assert.equal(shown.length, 2));

for (const { place, code } of shown) {
  test(`the 20 lines of ${place} are a working room`, async (t) => {
    const server = await startServer(t, { vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } });
    assert.ok(code.trim().split("\n").length <= 20, "they are at most 20 lines");

    const folder = mkdtempSync(path.join(tmpdir(), "roomful-readme-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, "example.ts");
    const source = JSON.stringify(at("client", "src", "index.ts"));
    writeFileSync(file, code.replace('"roomful"', source).replace("http://localhost:8787", server.url));
    const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => child.kill());
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (printed += text));

    await until(() => printed.includes("ana: hello"), () => `its message in: ${printed}`);
    assert.match(printed, /^connected$/m);
    assert.match(printed, /^here: \[ 'ana' \]$/m);

    const ben = createClient({ url: server.url, user: "ben" }).room("lobby");
    t.after(() => ben.leave());
    await until(() => ben.status === "connected" && ben.users.length === 2, "ana to be seen");
    await ben.publish("chat", { text: "hi" });
    await until(() => printed.includes("ben: hi") && printed.includes("here: [ 'ana', 'ben' ]"), () => `ben in: ${printed}`);
  });
}
