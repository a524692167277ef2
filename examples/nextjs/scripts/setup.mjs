// Puts into place what the app needs: its npm packages, and among them `roomful` as this repository has it now.
//
//   npm run setup
//
// An app of your own has `roomful` from npm, and needs nothing of this.
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { buildClient } from "../../../scripts/client.mjs";
import { at } from "../../../scripts/project.mjs";
import { setupPackages } from "../../../scripts/setup.mjs";
import { main, say } from "../../../scripts/step.mjs";

export const here = at("examples", "nextjs");

export async function setup() {
  await buildClient();
  await setupPackages(here);
  refreshRoomful();
}

// For npm, a package of the same version is the same package: it would keep the copy that it made first.
function refreshRoomful() {
  const copy = path.join(here, "node_modules", "roomful");
  const state = (folder) =>
    ["package.json", path.join("dist", ".built")].map((name) => {
      const file = path.join(folder, name);
      return existsSync(file) ? readFileSync(file, "utf8") : "";
    });
  if (`${state(copy)}` === `${state(at("client"))}`) return;
  const { files } = JSON.parse(readFileSync(at("client", "package.json"), "utf8"));
  rmSync(copy, { recursive: true, force: true });
  for (const name of ["package.json", "README.md", ...files]) {
    cpSync(at("client", name), path.join(copy, name), { recursive: true });
  }
}

if (process.argv[1] === path.join(here, "scripts", "setup.mjs")) {
  await main(async () => {
    await setup();
    say("examples/nextjs has everything it needs");
  });
}
