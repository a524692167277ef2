// Reads what Prometheus scrapes, as strictly as the format (text, 0.0.4) allows nothing else.
import assert from "node:assert/strict";

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const HELP = new RegExp(`^# HELP (${NAME}) (\\S.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\d+(?:\\.\\d+)?)$`);

/** Families by name, each with its `type`, `help` and `samples`: `{ name, labels, value }`. */
export function parse(text) {
  assert.ok(text.endsWith("\n") && !text.includes("\n\n") && !text.includes("\r"), "lines end in one line feed");
  const families = new Map();
  const seen = new Set();
  let family;
  for (const line of text.slice(0, -1).split("\n")) {
    const help = HELP.exec(line);
    const type = TYPE.exec(line);
    if (help) {
      assert.ok(!families.has(help[1]), `${help[1]} begins twice`);
      family = { name: help[1], help: help[2], samples: [] };
      families.set(family.name, family);
    } else if (type) {
      assert.equal(type[1], family.name, "the type follows the help");
      assert.ok(!family.type && !family.samples.length, line);
      family.type = type[2];
    } else {
      const [, name, labels = "", value] = SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`);
      assert.ok(!seen.has(`${name}{${labels}}`), `twice: ${line}`);
      seen.add(`${name}{${labels}}`);
      assert.ok(namesOf(family).includes(name), `${name} among the samples of ${family.name}`);
      family.samples.push({ name, labels: read(labels), value: Number(value) });
    }
  }
  for (const each of families.values()) check(each);
  return families;
}

/** The number of the one sample of a name that has these labels, among others. */
export function sample(text, name, labels = {}) {
  const all = [...parse(text).values()].flatMap((family) => family.samples);
  const fits = (found) => Object.entries(labels).every(([label, value]) => found.labels[label] === value);
  const found = all.filter((one) => one.name === name && fits(one));
  assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}`);
  return found[0].value;
}

const namesOf = ({ name, type }) =>
  type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];

function read(labels) {
  const pairs = [...labels.matchAll(new RegExp(LABEL, "g"))].map(([pair]) => {
    const [, name, value] = /^(.*?)="(.*)"$/.exec(pair);
    return [name, value.replace(/\\(.)/g, (_, character) => (character === "n" ? "\n" : character))];
  });
  assert.equal(new Set(pairs.map(([name]) => name)).size, pairs.length, `a label twice in ${labels}`);
  return Object.fromEntries(pairs);
}

function check({ name, type, samples }) {
  assert.ok(type && samples.length, `${name} has a type and samples`);
  assert.equal(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
  if (type !== "histogram") return;
  const buckets = samples.filter((one) => one.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => Number(labels.le.replace("+Inf", "Infinity")));
  for (const list of [bounds, buckets.map(({ value }) => value)]) {
    assert.deepEqual(list, [...list].sort((a, b) => a - b), `${name}: buckets grow`);
  }
  assert.equal(bounds.at(-1), Infinity);
  assert.equal(buckets.at(-1).value, samples.find((one) => one.name === `${name}_count`).value);
}
