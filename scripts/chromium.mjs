// Finds the browser that the browser tests drive, and installs Debian's where it can.
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { Failure } from "./step.mjs";
import { aptInstall } from "./setup.mjs";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const places = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** The path of a Chromium; CHROMIUM_PATH names another one. */
export async function chromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (isExecutable(named)) return named;
    throw new Failure(`CHROMIUM_PATH is ${named}, which cannot be run`);
  }
  const found = search();
  if (found) return found;
  if (process.platform !== "linux") {
    throw new Failure("the browser tests need Chrome or Chromium: install one, or set CHROMIUM_PATH");
  }
  await aptInstall("Chromium for the browser tests", ["chromium"]);
  const installed = search();
  if (installed) return installed;
  throw new Failure("Chromium was installed but is not on the path: set CHROMIUM_PATH");
}

function search() {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter(Boolean);
  const candidates = names.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return [...candidates, ...places].find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
