// Builds examples/nextjs as it is deployed, for the tests.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { here, setup } from "../examples/nextjs/scripts/setup.mjs";
import { lock } from "./lock.mjs";
import { at, node } from "./project.mjs";
import { quiet } from "./step.mjs";

/** The command line of Next.js. */
export const next = path.join(here, "node_modules", "next", "dist", "bin", "next");

/** Builds the example unless that was done for these sources; resolves to its folder. */
export async function buildExample() {
  const release = await lock(at("target", "nextjs.lock"), "another build of examples/nextjs");
  try {
    await setup();
    const buildId = path.join(here, ".next", "BUILD_ID");
    const built = path.join(here, ".next", ".built");
    // Whoever builds by hand gets another id.
    const stamp = () => fingerprint() + readFileSync(buildId, "utf8");
    if (existsSync(buildId) && existsSync(built) && readFileSync(built, "utf8") === stamp()) return here;
    // What `npm run dev` wrote of pages that may be elsewhere by now would be checked as well.
    rmSync(path.join(here, ".next", "dev", "types"), { recursive: true, force: true });
    await quiet("examples/nextjs", node(), [next, "build", here], { env: { NEXT_TELEMETRY_DISABLED: "1" } });
    writeFileSync(built, stamp());
    return here;
  } finally {
    release();
  }
}

// Of all that goes into a build; the environment does not, for it is read when the app runs.
function fingerprint() {
  const hash = createHash("sha256").update(readFileSync(at("client", "dist", ".built")));
  const made = [".next", "node_modules", "next-env.d.ts", "tsconfig.tsbuildinfo"];
  const parts = readdirSync(here, { withFileTypes: true }).filter(({ name }) => !made.includes(name));
  const files = parts.flatMap((part) => (part.isFile() ? part.name : filesIn(part.name)));
  for (const file of files.sort()) hash.update(`\0${file}\0`).update(readFileSync(path.join(here, file)));
  return hash.digest("hex");
}

const filesIn = (folder) =>
  readdirSync(path.join(here, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(here, path.join(entry.parentPath ?? entry.path, entry.name)));
