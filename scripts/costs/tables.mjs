// What docs/costs.md shows, as Markdown: { name: text }. The page's marks say where each stands.
import { abuses, freeFor, monthly } from "./abuse.mjs";
import { total } from "./bill.mjs";
import { report } from "./report.mjs";
import { rooms } from "./rooms.mjs";

export function tables(prices) {
  const reports = rooms.map((room) => report(room, prices));
  return {
    prices: meterTable(prices),
    others: otherTable(prices),
    sources: sourceTable(prices),
    rooms: table(["room", "what happens in it"], reports.map(({ room }) => [room.name, room.about])),
    day: dayTable(reports[0]),
    use: useTable(reports),
    dollars: dollarTable(reports),
    bills: billTable(reports),
    peers: peerTable(reports),
    reach: reachTable(prices),
    abuse: abuseTable(prices),
  };
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

/** A number as people write it: three figures that count. */
export function figure(value) {
  if (value === 0) return "0";
  if (value >= 100) return Math.round(Number(value.toPrecision(3))).toLocaleString("en");
  if (value < 0.0005) return "< 0.001";
  return String(Number(value.toPrecision(3)));
}

/** Dollars: cents are enough, but for what is less than one. */
export function dollars(value) {
  if (value === 0) return "0";
  if (value < 0.005) return "< 0.01";
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
}

export function range(least, most, show = dollars) {
  const [a, b] = [show(least), show(most)];
  return a === b ? a : `${a} to ${b}`;
}

function meterTable({ cloudflare: { meters, plan } }) {
  const rows = Object.values(meters).map(({ name, price, unit, included, free_a_day }) => [
    name,
    `$${price < 0.01 ? price : price.toFixed(2)} a ${unit}`,
    `${included.toLocaleString("en")}${unit.replace("million", "").trim() ? ` ${unit.replace("million ", "")}` : ""}`,
    free_a_day === undefined ? "" : free_a_day.toLocaleString("en"),
  ]);
  return table(["what", "price", `in the $${plan.month} of the paid plan, a month`, "in the free plan, a day"], rows);
}

function otherTable({ pusher, ably }) {
  const count = (value) => value.toLocaleString("en");
  const { million_messages, million_connection_minutes, million_channel_minutes } = ably;
  const use =
    ` and $${million_messages.toFixed(2)} a million messages, $${million_connection_minutes.toFixed(2)} a million minutes of ` +
    `connections, $${million_channel_minutes.toFixed(2)} of channels`;
  return table(
    ["service", "plan", "$ a month", "messages", "connections"],
    [
      ...pusher.plans.map((plan) => [
        "Pusher",
        plan.name,
        plan.month,
        `${count(plan.messages_a_day)} a day`,
        count(plan.connections),
      ]),
      ...ably.packages.map((plan) => [
        "Ably, older accounts",
        plan.name,
        `${plan.month}${plan.month ? use : ""}`,
        `${plan.messages_a_month ? `${count(plan.messages_a_month)} a month, ` : ""}${count(plan.messages_a_second)} a second`,
        count(plan.connections),
      ]),
    ],
  );
}

function sourceTable({ sources, looked_up, cloudflare, pusher, ably }) {
  const used = { Pusher: [pusher], Ably: [ably] };
  for (const meter of Object.values(cloudflare.meters)) (used[`Cloudflare: ${meter.name}`] = [meter]);
  const by = (key) => Object.keys(used).filter((name) => used[name].some(({ source }) => source === key));
  return table(
    ["prices of", "page", `as of (looked up ${looked_up})`],
    Object.entries(sources).map(([key, { page, date }]) => [by(key).join(", ").replaceAll(", Cloudflare: ", ", "), page, date]),
  );
}

// Hours that are alike share a line, with the numbers of one.
function dayTable({ room, hourly }) {
  const lines = [];
  for (const [hour, use] of hourly.entries()) {
    const cells = [
      room.hours[hour].people ?? 0,
      figure(use.messages),
      figure(use.objectRequests),
      figure(use.rowsWritten),
      range(use.secondsLeast, use.secondsMost, figure),
    ];
    const last = lines.at(-1);
    if (last && last.cells.join() === cells.join()) last.to = hour + 1;
    else lines.push({ from: hour, to: hour + 1, cells });
  }
  const name = ({ from, to }) => `${from} to ${to}${to > from + 1 ? ", each" : ""}`;
  return table(
    ["hour", "people", "messages", "requests", "rows written", "seconds awake"],
    lines.map((line) => [name(line), ...line.cells]),
  );
}

function useTable(reports) {
  return table(
    ["room", "messages", "requests to objects", "GB-s", "rows written", "rows read, at most", "stored, GB"],
    reports.map(({ room, messages, roomful: { least, most } }) => [
      room.name,
      figure(messages),
      figure(least.use.object_requests),
      range(least.use.gb_seconds, most.use.gb_seconds, figure),
      figure(least.use.rows_written),
      figure(least.use.rows_read),
      figure(least.use.stored_gb),
    ]),
  );
}

function dollarTable(reports) {
  const small = ({ worker_requests, worker_cpu_ms, object_requests }) => worker_requests + worker_cpu_ms + object_requests;
  return table(
    ["room", "requests", "duration", "rows written", "rows read, storage", "**all of it**", "and a log of invocations"],
    reports.map(({ room, roomful: { least, most } }) => [
      room.name,
      dollars(small(least.listed)),
      range(least.listed.gb_seconds, most.listed.gb_seconds),
      dollars(least.listed.rows_written),
      dollars(least.listed.rows_read + least.listed.stored_gb),
      `**${range(total(least.listed), total(most.listed))}**`,
      dollars(least.listedLog),
    ]),
  );
}

function billTable(reports) {
  const plan = (chosen) => (chosen ? `${dollars(chosen.month)} (${chosen.name})` : "on request");
  const paid = ({ least, most }) => (most.free.length ? "" : "0 (free plan) or ") + range(least.month, most.month);
  return table(
    ["room", "Roomful", "Roomful, rounded up", "PartyServer, hibernating", "PartyServer, as it comes", "Pusher Channels", "Ably, older accounts"],
    reports.map(({ room, roomful, partyserver, pusher, ably }) => [
      room.name,
      paid(roomful),
      range(roomful.least.rounded, roomful.most.rounded),
      paid(partyserver.asleep),
      paid(partyserver.awake),
      plan(pusher),
      plan(ably),
    ]),
  );
}

function peerTable(reports) {
  const rows = ({ least }) => `${figure(least.use.rows_written)} (${dollars(least.listed.rows_written)})`;
  return table(
    ["room", "Roomful", "PartyServer: insert", "and delete the oldest", "and both, with an index on time"],
    reports
      .filter(({ partyserver }) => partyserver.asleep.least.use.rows_written > 0)
      .map(({ room, roomful, partyserver }) => [
        room.name,
        rows(roomful),
        rows(partyserver.asleep),
        rows(partyserver.pruned),
        rows(partyserver.indexed),
      ]),
  );
}

function reachTable({ cloudflare: { meters, gb_of_an_object: gb, messages_a_request } }) {
  const a = (name) => [meters[name].included, meters[name].free_a_day];
  const line = (name, what, use) => [meters[name].name, ...a(name).map((amount) => `${figure(amount / use)} ${what}`)];
  return table(
    ["what", "paid plan, a month", "free plan, a day"],
    [
      line("object_requests", "messages over WebSockets", 1 / messages_a_request),
      line("gb_seconds", "hours of one room awake", 3600 * gb),
      line("rows_written", "messages, one row each; or commits", 1),
      line("worker_requests", "connects, or publishes over HTTP", 1),
    ],
  );
}

function abuseTable({ cloudflare }) {
  const span = (seconds) => {
    if (seconds > 86_400) return "";
    return seconds < 3600 ? `${figure(seconds / 60)} minutes` : `${figure(seconds / 3600)} hours`;
  };
  return table(
    ["what is done without a pause", "$ a month", "the free plan's day is over after"],
    abuses().map(({ what, use }) => [what, dollars(monthly(use, cloudflare)), span(freeFor(use, cloudflare))]),
  );
}
