// What a soak found, as a page, a picture and JSON.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { lines } from "../../bench/lines.mjs";
import { figure } from "../../bench/statistics.mjs";
import { LEAST_MINUTES, RISE_BETWEEN_THIRDS, RISE_PER_HOUR } from "./flat.mjs";

const MIB = 2 ** 20;

/** Writes `soak.md`, `.svg` and `.json` into `out`, and returns the page. */
export function report(out, soak) {
  mkdirSync(out, { recursive: true });
  const page = markdown(soak);
  writeFileSync(path.join(out, "soak.md"), page);
  writeFileSync(path.join(out, "soak.svg"), drawn(soak));
  writeFileSync(path.join(out, "soak.json"), json(soak));
  return page;
}

const percent = (share) => `${(share * 100).toFixed(0)} %`;
const inMiB = (bytes) => (bytes === undefined ? "unknown" : `${figure(bytes / MIB)} MiB`);

function markdown({ at, machine, versions, minutes, samples, rss, wasm, counts, rows, faults, late, flat }) {
  const last = samples.at(-1);
  const gaps = samples.slice(1).map(({ seconds }, index) => seconds - samples[index].seconds);
  const row = (name, key, { thirds, slope, flat }) => {
    const most = Math.max(...samples.map((sample) => sample[key]));
    const cells = [name, ...thirds.map(inMiB), inMiB(most), inMiB(slope), flat ? "flat" : "not flat"];
    return `| ${cells.join(" | ")} |`;
  };
  const memory = {
    true: "**Memory is flat.**",
    false: "**Memory is not flat.**",
    null: `Nothing is said of memory by a run of less than ${LEAST_MINUTES} minutes.`,
  };
  const promises = faults.length ? `**${faults.length} promises were broken**, see below.` : "No promise was broken.";
  const count = (number) => number.toLocaleString("en");
  return `# A soak of Roomful

${at.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, ${machine.system}; Roomful at ${versions.roomful},
workerd ${versions.workerd}; ${figure(minutes)} minutes.

${memory[flat]} ${promises}

![Memory of workerd, memory of wasm, and bytes on disk over time](soak.svg)

| | median of the 1st third | 2nd third | last third | most | slope an hour | |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
${row("resident memory of workerd", "rss", rss)}
${row("memory of wasm", "wasm", wasm)}

Garbage is collected before each sample, so that what counts is what is held. Flat is what, after the first third, rises
by at most ${percent(RISE_PER_HOUR)} an hour (the straight line of least squares), and whose median in the last third is at most
${percent(RISE_BETWEEN_THIRDS)} above that of the second.

| what | so much |
| --- | ---: |
| processor time of workerd | ${last.cpu === undefined ? "unknown" : percent(last.cpu / last.seconds)} of one core |
| on disk at the end, journals included | ${inMiB(last.disk)} |
| messages in the logs of the rooms that stay | ${count(rows)} |
| publishes over WebSockets | ${count(counts.publishes)} |
| publishes over HTTP | ${count(counts.requests)} |
| ephemeral messages and states | ${count(counts.ephemeral)} |
| stored messages that arrived at somebody | ${count(counts.heard)} |
| connections lost on purpose | ${count(counts.drops)} |
| resumes, each recovered | ${count(counts.resumes)} |
| people who left for good, and others who came | ${count(counts.joins)} |
| rooms made, used and deleted | ${count(counts.rooms)} |
| times that a room went to sleep, and woke | ${count(counts.sleeps)} |
| times that a room was put out of memory | ${count(counts.evictions)} |
| rooms in memory at the end | ${last.rooms} |
${late.length ? `\n${starved(late, gaps)}\n` : ""}${faults.length ? `\n## Broken promises\n\n${faults.map((fault) => `- ${fault}`).join("\n")}\n` : ""}`;
}

function starved(late, gaps) {
  const [usual, longest] = [gaps.toSorted((a, b) => a - b)[gaps.length >> 1], Math.max(...gaps)].map(figure);
  return `The machine had other work as well: samples were ${longest} s apart at worst, ${usual} s usually. Then some things took
longer than the clients wait for them, and were given up: ${late.join("; ")}.`;
}

function drawn({ at, machine, versions, samples }) {
  const end = samples.at(-1).seconds / 60;
  const chart = (title, key) => ({
    title,
    unit: " MiB",
    points: samples.filter((sample) => sample[key] !== undefined).map((sample) => [sample.seconds / 60, sample[key] / MIB]),
    marks: [[end / 3, "judged from here"]],
  });
  const charts = [
    chart("Resident memory of workerd", "rss"),
    chart("Memory of wasm", "wasm"),
    chart("On disk, journals included", "disk"),
  ];
  return lines({
    title: "A soak of Roomful",
    charts: charts.filter(({ points }) => points.length),
    axis: "minutes",
    axisUnit: "",
    caption: `${at.slice(0, 10)}, ${machine.processor}; Roomful at ${versions.roomful}, workerd ${versions.workerd}`,
  });
}

// A line for each sample.
function json({ samples, ...about }) {
  const listed = samples.map((sample) => `  ${JSON.stringify(sample)}`).join(",\n");
  return `${JSON.stringify(about, null, 1).slice(0, -2)},\n "samples": [\n${listed}\n ]\n}\n`;
}
