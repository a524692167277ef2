// Builds the npm package `roomful` into client/dist:
//
//   node scripts/client.mjs
//
// Each door is one file, and what several of them use is in one they share, so that there is one of it in an
// application. They are minified, because not every bundler that meets them does it well, and have source maps.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { lock } from "./lock.mjs";
import { at } from "./project.mjs";
import { Failure, main, quiet, say, step } from "./step.mjs";
import { setupPackages } from "./setup.mjs";

const DOORS = ["index", "react", "server"];
const STAMP = ".built";

// Names of properties that never leave the core: they are shortened, which saves some two per cent. What may not be
// among them is checked against the sources that say what others see.
const INTERNAL =
  "arrive ask become change count counted depart emit enter entered excess fail fetchToken forget frame fulfil hold " +
  "list lost once own people place received refuse relist renewable rest resume sendAll sent settle subscribe tell";
const PUBLIC = ["client", "error", "schema", "types", "wire", "react/context", "react/log"];

// What an application carries when it imports everything from these doors, minified and gzipped.
const SIZES = [
  { label: "roomful", doors: ["index"], limit: 5_100 },
  { label: "roomful and roomful/react", doors: ["index", "react"], limit: 6_650 },
  { label: "roomful/server", doors: ["server"], limit: 2_020 },
];

const dist = (...parts) => at("client", "dist", ...parts);

/** Builds the package unless it is current. */
export async function buildClient() {
  await setupPackages();
  mkdirSync(at("target"), { recursive: true });
  const release = await lock(at("target", "client.lock"), "another build of the client");
  try {
    const stamp = fingerprint();
    const built = dist(STAMP);
    if (existsSync(built) && readFileSync(built, "utf8") === stamp) return;
    await step("client: JavaScript", bundle);
    await quiet("client: types", "tsc", ["-p", at("client")]);
    rewriteTypes();
    writeFileSync(built, stamp);
  } finally {
    release();
  }
}

function fingerprint() {
  const hash = createHash("sha256");
  const sources = readdirSync(at("client", "src"), { recursive: true }).filter((name) => name.endsWith(".ts"));
  const files = sources.map((name) => at("client", "src", name));
  for (const file of [...files.sort(), at("client", "tsconfig.json"), at("scripts", "client.mjs")]) {
    hash.update(file).update(readFileSync(file));
  }
  return hash.digest("hex");
}

async function bundle() {
  const esbuild = await import("esbuild");
  const { minify } = await import("terser");
  const entryPoints = DOORS.map((door) => at("client", "src", `${door}.ts`)).filter((file) => existsSync(file));
  const { outputFiles } = await esbuild.build({
    entryPoints,
    outdir: dist(),
    bundle: true,
    splitting: true,
    minifySyntax: true,
    chunkNames: "shared-[hash]",
    format: "esm",
    target: "es2022",
    external: ["react"],
    sourcemap: "external",
    sourcesContent: true,
    write: false,
  });
  const internal = new RegExp(`^(${internalNames().join("|")})$`);
  rmSync(dist(), { recursive: true, force: true });
  mkdirSync(dist(), { recursive: true });
  const nameCache = {};
  const written = new Map(outputFiles.map(({ path: file, text }) => [path.basename(file), text]));
  for (const [name, text] of written) {
    if (!name.endsWith(".js")) continue;
    const { code, map } = await minify(text, {
      module: true,
      ecma: 2020,
      compress: { passes: 3, unsafe_arrows: true, unsafe_methods: true, directives: false },
      // Some of them are names in the DOM as well, which otherwise are left alone.
      mangle: { properties: { regex: internal, builtins: true } },
      nameCache,
      sourceMap: { content: written.get(`${name}.map`), filename: name, url: `${name}.map` },
    });
    writeFileSync(dist(name), code);
    writeFileSync(dist(`${name}.map`), map);
  }
}

function internalNames() {
  const names = INTERNAL.split(" ");
  const seen = PUBLIC.map((name) => readFileSync(at("client", "src", `${name}.ts`), "utf8")).join("\n");
  // As a property in a type: what is said in comments does no harm.
  const known = names.filter((name) => new RegExp(`^\\s*(readonly )?${name}\\??[:(<]`, "m").test(seen));
  if (known.length) throw new Failure(`client: applications see ${known.join(", ")}: not to be shortened`);
  return names;
}

// The compiler leaves the endings of imports in declarations as they are.
function rewriteTypes() {
  for (const name of readdirSync(dist(), { recursive: true }).filter((file) => file.endsWith(".d.ts"))) {
    const text = readFileSync(dist(name), "utf8");
    writeFileSync(dist(name), text.replace(/((?:from|import)\s*\(?\s*"\.[^"]*)\.ts"/g, '$1.js"'));
  }
}

/** Fails when the package's types, shape or size are not as they should be. */
export async function checkClient() {
  await buildClient();
  const failed = [];
  const check = async (work) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failed.push(error.message);
    }
  };
  await check(() => quiet("client: types of the tests", "tsc", ["-p", at("client", "tests")]));
  await check(() => quiet("client: publint", "publint", ["--strict", at("client")]));
  const attw = ["--pack", at("client"), "--profile", "esm-only", "--quiet"];
  await check(() => quiet("client: are the types wrong", "attw", attw));
  for (const size of SIZES) await check(() => checkSize(size));
  if (failed.length) throw new Failure(`client: ${failed.join("; ")}`);
}

async function checkSize({ label, doors, limit }) {
  const bytes = await gzippedBytes(doors);
  const size = `${label} has ${bytes.toLocaleString("en")} bytes minified and gzipped`;
  if (bytes > limit) throw new Failure(`${size}; the limit is ${limit.toLocaleString("en")}`);
  say(`${size}, within ${limit.toLocaleString("en")}`);
}

/** What everything that these doors export comes to in an application. */
const gzippedBytes = (doors) => gzipped(doors.map((door) => `export * from ${JSON.stringify(dist(`${door}.js`))};`));

/** How many bytes some lines of imports come to, bundled, minified and gzipped. React counts nothing. */
export async function gzipped(lines) {
  const esbuild = await import("esbuild");
  const { minify } = await import("terser");
  const { outputFiles } = await esbuild.build({
    stdin: { contents: lines.join("\n"), resolveDir: at("client") },
    bundle: true,
    format: "esm",
    target: "es2022",
    external: ["react", "react-dom"],
    write: false,
  });
  const { code } = await minify(outputFiles[0].text, { module: true, ecma: 2020, compress: { passes: 3 } });
  return gzipSync(code, { level: 9 }).length;
}

if (process.argv[1] === at("scripts", "client.mjs")) {
  await main(async () => {
    await buildClient();
    say("client/dist is up to date");
  });
}
