import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/project.mjs";
import { complaints, mutants, mutate } from "../mutants/list.mjs";

const sources = new Map();
const read = (file) => {
  if (!sources.has(file)) sources.set(file, readFileSync(at(file), "utf8"));
  return sources.get(file);
};

test("the text of every mutant stands in its file exactly once", () => {
  assert.deepEqual(complaints(read), []);
  assert.ok(mutants.length >= 25, `only ${mutants.length} mutants`);
});

test("a mutant whose text is gone, or stands there twice, is an error", () => {
  const mutant = { promise: "M1: x", file: "a.rs", text: "one", by: "two" };
  assert.equal(mutate(mutant, "one $&"), "two $&");
  assert.throws(() => mutate(mutant, "nothing"), /M1: x: a.rs holds its text 0 times/);
  assert.throws(() => mutate(mutant, "one one"), /2 times/);
});
