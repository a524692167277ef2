// Every rule of docs/protocol.md must be shown by a test that carries its id: a
// Rust test `fn m4_…`, or a JavaScript test whose title begins with `m4` or `M4`.
// A test that shows several begins with all of them: `fn m4_r2_…`, "M4, R2: …".
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { at, root } from "./project.mjs";
import { Failure, main, say } from "./step.mjs";

const folders = ["src", "tests", "client", "examples"];
const skipped = new Set(["node_modules", "dist", "build", "target", ".next"]);

/** The ids of the rules that a text states, as in `- **M4** …`. */
export const rules = (text) => [...text.matchAll(/\*\*([A-Z]\d+)\*\*/g)].map(([, id]) => id);

/** The ids with which the names of a Rust source's tests begin; ignored tests do not count. */
export function rustIds(text) {
  const test = /((?:^\s*#\[[^\n]*\]\s*$\n?)+)\s*(?:pub )?(?:async )?fn ((?:[a-z]\d+_)+)/gm;
  return [...text.matchAll(test)]
    .filter(([, attributes]) => /#\[[\w:]*test\b/.test(attributes) && !attributes.includes("#[ignore"))
    .flatMap(([, , name]) => name.toUpperCase().split("_").filter(Boolean));
}

/** The ids with which the titles of a JavaScript source's tests begin; skipped tests do not count. */
export function scriptIds(text) {
  const test = /\b(?:test|it|describe|suite|t\.test)(?:\.only)?\(\s*["'`]((?:[A-Za-z]\d+\b[\s,:_+&]*|[A-Za-z]\d+_)+)/g;
  return [...text.matchAll(test)].flatMap(([, ids]) => ids.toUpperCase().match(/[A-Z]\d+/g));
}

/** Fails when a rule has no test or a test carries the id of no rule. */
export function checkRules() {
  const file = at("docs", "protocol.md");
  if (!existsSync(file)) throw new Failure("docs/protocol.md is missing: it states the rules");
  const stated = rules(readFileSync(file, "utf8"));
  const twice = stated.filter((id, index) => stated.indexOf(id) !== index);
  const shown = new Map(sources().flatMap((source) => idsOf(source).map((id) => [id, source])));
  const untested = stated.filter((id) => !shown.has(id));
  const letters = new Set(stated.map((id) => id[0]));
  const unknown = [...shown.keys()].filter((id) => letters.has(id[0]) && !stated.includes(id));
  const complaints = [
    twice.length && `stated twice: ${twice.join(", ")}`,
    untested.length && `without a test that carries the id: ${untested.join(", ")}`,
    unknown.length && `carried by a test but not stated: ${unknown.map((id) => `${id} (${shown.get(id)})`).join(", ")}`,
  ].filter(Boolean);
  if (complaints.length) throw new Failure(`rules of docs/protocol.md ${complaints.join("; ")}`);
  say(`rules: each of the ${stated.length} has a test`);
}

function idsOf(source) {
  const text = readFileSync(at(source), "utf8");
  return source.endsWith(".rs") ? rustIds(text) : scriptIds(text);
}

function* walk(folder) {
  if (!existsSync(at(folder))) return;
  for (const entry of readdirSync(at(folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory() && !skipped.has(entry.name)) yield* walk(name);
    else if (entry.isFile() && /\.(rs|mjs|js|ts|tsx)$/.test(entry.name)) yield name;
  }
}

const sources = () => folders.flatMap((folder) => [...walk(folder)]);

if (process.argv[1] === path.join(root, "scripts", "rules.mjs")) {
  await main(async () => checkRules());
}
