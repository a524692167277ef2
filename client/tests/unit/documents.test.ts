// What the documents show compiles against the package's sources.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { at } from "../../../scripts/project.mjs";
import { examples } from "../documents.ts";

// A new Next.js app whose tsconfig.json Next.js wrote is not strict.
for (const strict of [true, false]) {
  test(`every example in TypeScript compiles${strict ? ", strictly" : ""}`, (t) => {
    mkdirSync(at("target"), { recursive: true });
    // Inside the project, so that the packages of others are found.
    const folder = mkdtempSync(at("target", "documents-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const found = examples().filter(({ language }) => /^tsx?$/.test(language));
    assert.ok(found.length > 10, "the documents have examples");

    const places = new Map<string, string>();
    found.forEach(({ place, language, code }, index) => {
      const name = `example-${index}.${language}`;
      places.set(name, place);
      // Each is a module of its own, and may wait at its top.
      writeFileSync(path.join(folder, name), `${code}\nexport {};\n`);
    });
    writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(configuration(strict)));
    let complaints = "";
    try {
      execFileSync(process.execPath, [at("node_modules", "typescript", "bin", "tsc"), "-p", folder], { encoding: "utf8" });
    } catch (error) {
      complaints = (error as { stdout: string }).stdout;
    }
    for (const [name, place] of places) complaints = complaints.replaceAll(new RegExp(`\\S*${name}`, "g"), `${place} → `);
    assert.equal(complaints, "");
  });
}

test("T1: no document shows a secret: one that is long enough would be taken for one, and be everybody's", () => {
  const files = ["client/README.md", ".dev.vars.example", "examples/nextjs/.env.example"];
  const shown = files.map((file) => readFileSync(at(...file.split("/")), "utf8")).join("\n");
  const secrets = [...shown.matchAll(/^ROOMFUL_SECRETS?="(.*?)"/gm)].map(([, secret]) => secret);
  assert.deepEqual(secrets, ["", "", "", ""]);
});

function configuration(strict: boolean) {
  return {
    compilerOptions: {
      target: "es2022",
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["es2023", "dom", "dom.iterable"],
      types: ["node", "react"],
      typeRoots: [at("node_modules", "@types")],
      jsx: "react-jsx",
      strict,
      skipLibCheck: true,
      noEmit: true,
      allowImportingTsExtensions: true,
      paths: {
        roomful: [at("client", "src", "index.ts")],
        "roomful/react": [at("client", "src", "react.ts")],
        "roomful/server": [at("client", "src", "server.ts")],
      },
    },
    include: ["*"],
  };
}
