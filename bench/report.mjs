// What was measured, as a table and as files.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { at, environment, lockedCrate, root } from "../scripts/project.mjs";
import { say } from "../scripts/step.mjs";

const WASM_GZIPPED_BYTES = 250_000;

/** Prints the results and writes them to `out`; returns the targets that were missed. */
export function report({ out, runs, starts, size, variables, repeat, quick }) {
  const names = [...new Set(runs.map(({ workload }) => workload.name))];
  const rows = names.map((name) => summarize(runs.filter(({ workload }) => workload.name === name)));
  const subjects = [...new Set(starts.map(({ subject }) => subject))];
  const startUp = subjects.map((subject) => {
    const own = starts.filter((start) => start.subject === subject);
    return { subject, answered: median(own.map((start) => start.answered)), welcomed: median(own.map((start) => start.welcomed)) };
  });
  const missed = rows.flatMap((row) => row.missed.map((what) => `${row.name} ${what}`));
  if (size.gzipped > WASM_GZIPPED_BYTES) missed.push(`wasm of ${kB(size.gzipped)} kB gzipped, at most ${kB(WASM_GZIPPED_BYTES)}`);
  const results = { at: new Date().toISOString(), machine: machine(), versions: versions(), repeat, quick, variables, size, startUp, rows, missed };

  mkdirSync(out, { recursive: true });
  const raw = runs.map(({ workload, ...run }) => ({ name: workload.name, ...run }));
  writeFileSync(path.join(out, "latest.json"), `${JSON.stringify({ ...results, runs: raw }, null, 2)}\n`);
  const text = markdown(results);
  writeFileSync(path.join(out, "latest.md"), text);
  console.log(`\n${text}`);
  say(`written to ${path.relative(root, out)}/latest.md and .json`);
  return missed;
}

/** The medians of one workload's runs. */
function summarize(runs) {
  const { workload } = runs[0];
  const of = (figure) => median(runs.map(figure).filter((value) => value != null));
  const cpu = (process) => of(({ result }) => result[process] && result[process].user + result[process].system);
  const worst = (figure) => Math.max(...runs.map(({ result }) => figure(result)));
  const row = {
    name: workload.name,
    does: workload.does,
    subject: workload.subject,
    people: runs[0].result.people,
    rate: runs[0].result.rate,
    connect: of(({ result }) => result.connect_ms.p50),
    connected: of(({ result }) => result.connected_ms),
    // The worst, not the median: nothing may be lost in any run.
    lost: worst(({ expected, delivered }) => expected - delivered),
    lostShare: worst(({ expected, delivered }) => (expected - delivered) / expected),
    doubled: worst(({ doubled, acks }) => doubled + (acks?.doubled ?? 0)),
    unacked: worst(({ acks }) => (acks ? acks.expected - acks.got : 0)),
    latency: quantiles(of, ({ result }) => result.latency_ms),
    ack: quantiles(of, ({ result }) => result.acks?.latency_ms),
    late: of(({ result }) => result.sent_late_ms?.p99),
    deliveries: of(({ result }) => result.deliveries_per_second),
    frames: of(({ result }) => result.frames_per_second),
    bytes: of(({ result }) => result.bytes_per_second),
    commits: runs[0].result.acks ? of(({ result }) => result.commits_per_second) : undefined,
    serverCpu: cpu("server_cpu"),
    loadCpu: cpu("load_cpu"),
    memory: of(({ memory }) => memory.peak),
    complaint: runs.map(({ result }) => result.complaint).find(Boolean),
  };
  return { ...row, missed: misses(row, workload.target) };
}

function quantiles(of, from) {
  const [p50, p90, p99, max] = ["p50", "p90", "p99", "max"].map((name) => of((run) => from(run)?.[name]));
  return p50 === undefined ? undefined : { p50, p90, p99, max };
}

function misses({ lost, doubled, unacked, latency }, target) {
  if (!target) return [];
  return [
    target.delivered === "all" && lost !== 0 && `did not deliver ${lost} messages`,
    doubled !== 0 && `delivered ${doubled} messages twice`,
    unacked !== 0 && `did not acknowledge ${unacked} messages`,
    target.p99 && !(latency?.p99 <= target.p99) && `has its p99 at ${ms(latency?.p99)} ms, at most ${target.p99}`,
  ].filter(Boolean);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  if (!sorted.length) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function machine() {
  const cpus = os.cpus();
  return { processor: cpus[0].model.trim(), cores: cpus.length, memory: os.totalmem(), system: `${os.type()} ${os.release()}`, load: os.loadavg()[0] };
}

function versions() {
  const version = (command, args, cwd = root) => {
    try {
      return execFileSync(command, args, { cwd, env: environment(), encoding: "utf8" }).trim();
    } catch {
      return "unknown";
    }
  };
  const { version: workerd } = JSON.parse(readFileSync(at("node_modules", "workerd", "package.json"), "utf8"));
  return { roomful: version("git", ["rev-parse", "--short", "HEAD"]), workerd, worker: lockedCrate("worker"), rustc: version("rustc", ["--version"]) };
}

function markdown({ at: when, machine, versions, repeat, variables, size, startUp, rows, missed }) {
  const set = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  const latency = (row) => [row.latency?.p50, row.latency?.p90, row.latency?.p99, row.latency?.max].map(ms);
  const lines = [
    "# Roomful under load",
    "",
    `${when.slice(0, 10)}, ${machine.processor}, ${machine.cores} cores shared with the load generator, ${machine.system}; load average ${machine.load.toFixed(1)}.`,
    `Roomful at ${versions.roomful}, workerd ${versions.workerd}, worker ${versions.worker}, ${versions.rustc}.`,
    `Medians of ${repeat} ${repeat === 1 ? "run" : "runs"} (what was lost: the worst).${set.length ? ` With ${set.join(", ")}.` : ""}`,
    "",
    ...table(
      ["workload", "delivered/s", "lost", "p50 ms", "p90", "p99", "max", "frames/s", "MB/s", "server CPU", "µs a delivery", "load CPU", "peak MB"],
      rows.map((row) => [
        row.name,
        count(row.deliveries),
        row.lost ? `${(100 * row.lostShare).toFixed(2)} %` : "0",
        ...latency(row),
        count(row.frames),
        (row.bytes / 1e6).toFixed(1),
        percent(row.serverCpu),
        row.deliveries && row.serverCpu !== undefined ? ((1e6 * row.serverCpu) / row.deliveries).toFixed(2) : "",
        percent(row.loadCpu),
        row.memory ? (row.memory / 1e6).toFixed(0) : "",
      ]),
    ),
    "",
    ...rows.filter((row) => row.ack).flatMap((row) => [
      `${row.name}: ack after p50 ${ms(row.ack.p50)} ms, p99 ${ms(row.ack.p99)} ms; ${row.commits} commits (rows written) a second for ${row.rate} messages.`,
      "",
    ]),
    ...table(
      ["workload", "connecting takes (p50 ms)", "everybody in after ms", "sends late by (p99 ms)"],
      rows.map((row) => [row.name, ms(row.connect), ms(row.connected), ms(row.late)]),
    ),
    "",
    ...table(
      ["start-up", "first answer ms", "first welcome ms"],
      startUp.map((row) => [row.subject, ms(row.answered), ms(row.welcomed)]),
    ),
    "",
    `wasm: ${kB(size.raw)} kB, gzipped ${kB(size.gzipped)} kB.`,
    "",
    missed.length ? `Targets missed: ${missed.join("; ")}.` : "All targets met.",
    ...rows.filter((row) => row.complaint).map((row) => `\n${row.name}: ${row.complaint}`),
    "",
  ];
  return lines.join("\n");
}

function table(head, rows) {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => String(row[column]).length)));
  const line = (cells) => `| ${cells.map((cell, column) => (column ? String(cell).padStart(widths[column]) : String(cell).padEnd(widths[column]))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column ? `${"-".repeat(width - 1)}:` : "-".repeat(width))).join(" | ")} |`;
  return [line(head), rule, ...rows.map(line)];
}

const ms = (value) => (value === undefined ? "" : value < 10 ? value.toFixed(2) : value.toFixed(0));
const count = (value) => Math.round(value).toLocaleString("en");
const percent = (value) => (value === undefined ? "" : `${Math.round(100 * value)} %`);
const kB = (bytes) => (bytes / 1000).toFixed(1);
