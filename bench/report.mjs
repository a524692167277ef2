// What was measured, as a page and as JSON.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { root } from "../scripts/project.mjs";
import { say } from "../scripts/step.mjs";
import { plot } from "./plot.mjs";

/** Prints the results and writes them to `out`, under `name`; returns the targets that were missed. */
export function report({ out, name, ...results }) {
  const { page, picture } = write({ out, name, ...results });
  console.log(`\n${page}`);
  say(`written to ${path.relative(root, out)}/${name}.md, .json${picture ? " and .svg" : ""}`);
  return targetsOf(results.parts).filter(({ met }) => met === false);
}

/** Only writes them: what there is so far, should the run not come to its end. */
export function write({ out, name, ...results }) {
  mkdirSync(out, { recursive: true });
  const bars = results.parts.flatMap((part) => part.bars ?? []);
  const picture = bars.length ? `${name}.svg` : undefined;
  if (picture) writeFileSync(path.join(out, picture), plot(bars, caption(results)));
  const page = markdown(results, picture);
  writeFileSync(path.join(out, `${name}.md`), page);
  writeFileSync(path.join(out, `${name}.json`), json(results));
  return { page, picture };
}

const targetsOf = (parts) => parts.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

// Indented, but with the innermost parts in one line each: short, and a change of one figure is a change of one line.
function json({ parts, ...about }) {
  const short = parts.map(({ name, figures, targets, failed }) => ({ name, failed, figures, targets }));
  const text = JSON.stringify({ ...about, parts: short }, null, 1);
  return `${text.replace(/[{[]\n[^{}[\]]*[}\]]/g, (inner) => inner.replace(/\n\s*/g, " "))}\n`;
}

const caption = ({ at, machine, versions }) =>
  `${at.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores shared with the load; workerd ${versions.workerd}`;

function markdown({ at, machine, versions, method, size, parts }, picture) {
  const { roomful, ...others } = versions;
  const targets = targetsOf(parts);
  return [
    "# Roomful under load",
    "",
    `${at.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores shared by server and load generator, ${(machine.memory / 2 ** 30).toFixed(0)} GiB, ${machine.system}; load average at the start ${machine.load}.`,
    `Roomful at ${roomful}; ${Object.entries(others)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
    "",
    method,
    `Roomful's wasm has ${(size.raw / 1000).toFixed(1)} kB, gzipped ${(size.gzipped / 1000).toFixed(1)} kB.`,
    "",
    ...(picture ? [`![The most important figures as bars; all of them are in the tables](${picture})`, ""] : []),
    ...(targets.length ? targetSection(targets) : []),
    ...parts.flatMap(section),
  ].join("\n");
}

function targetSection(targets) {
  const missed = targets.filter(({ met }) => met === false);
  return [
    "## Targets",
    "",
    missed.length ? `${missed.length} of ${targets.length} targets missed.` : `All ${targets.length} targets met.`,
    "",
    ...table({
      head: ["", "what", "target", "measured", ""],
      rows: targets.map(({ title, what, target, got, met }) => [
        title,
        what,
        target,
        got,
        met ? "met" : met === null ? "unknown" : "**missed**",
      ]),
    }),
  ];
}

function section({ title, asks, tables = [], notes = [], failed, seconds }) {
  return [
    `## ${title}`,
    "",
    asks,
    "",
    ...(failed ? [`**Could not be measured:** ${failed}`, ""] : []),
    ...tables.flatMap(table),
    ...notes.flatMap((note) => [note, ""]),
    ...(seconds ? [`This part took ${seconds.toFixed(0)} s.`, ""] : []),
  ];
}

function table({ head, rows }) {
  const cells = [head, ...rows].map((row) => row.map((cell) => String(cell ?? "–")));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const numeric = head.map((_, column) => rows.some((row) => /^\d/.test(String(row[column]))));
  const pad = (cell, column) => (numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]));
  const line = (row) => `| ${row.map(pad).join(" | ")} |`;
  const rule = widths.map((width, column) => (numeric[column] ? `${"-".repeat(width - 1)}:` : "-".repeat(width)));
  const [first, ...others] = cells;
  return [line(first), `| ${rule.join(" | ")} |`, ...others.map(line), ""];
}
