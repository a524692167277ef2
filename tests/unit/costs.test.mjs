// What is expected here was reckoned by hand, or stands on the pages that the prices are from.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { abuses, freeFor, limits, monthly } from "../../scripts/costs/abuse.mjs";
import { ably, beyond, deliveries, listed, month, pusher, tooMuchForFree, total } from "../../scripts/costs/bill.mjs";
import { fill } from "../../scripts/costs/page.mjs";
import { report } from "../../scripts/costs/report.mjs";
import { always, between } from "../../scripts/costs/rooms.mjs";
import { dollars, figure, range, tables } from "../../scripts/costs/tables.mjs";
import { alarms, assumed, historyRows, kept, partyserver, roomful, savingShare, sum } from "../../scripts/costs/usage.mjs";
import { at } from "../../scripts/project.mjs";

const prices = JSON.parse(readFileSync(at("scripts", "costs", "prices.json"), "utf8"));
const { cloudflare } = prices;

function about(actual, expected) {
  const near = Math.abs(actual - expected) < 1e-4 * Math.max(1, Math.abs(expected));
  assert.ok(near, `${actual}, not ${expected}`);
}

test("people who only ping cost a look each 100 seconds, however many they are", () => {
  assert.equal(alarms({ people: 1 }, assumed), 36);
  assert.equal(alarms({ people: 1000 }, assumed), 36);
  assert.equal(alarms({ people: 0 }, assumed), 0);
  assert.equal(alarms({ people: 2, streams: 2 }, assumed), 0);
  // 36 looks, and 10 tokens that are renewed each 8 minutes, which is one frame and, after a wake, one alarm.
  const hour = roomful({ people: 10 });
  about(hour.objectRequests, 36 + 75 / 20);
  about(hour.rowsWritten, 36 + 75);
  // Each of the 111 takes 10 ms. Hardly ever does one come on the heels of another, so that a timer runs.
  assert.ok(hour.secondsLeast >= 1.11 && hour.secondsLeast < 1.13, `${hour.secondsLeast}`);
  about(hour.secondsMost, 1111.11);
  assert.equal(hour.workerRequests, 0);
  // Each of the 111 reads the twelve rows of a wake and the ten members.
  about(hour.rowsRead, 111 * 22);
});

test("a message costs a row, up to 20 a second", () => {
  // Hardly ever does a token that is renewed find such a room asleep.
  const rows = (rate) => roomful({ people: 1, rate }).rowsWritten - 36;
  about(rows(1), 3600);
  about(rows(19), 68_400);
  about(rows(21), 72_000);
  about(rows(100), 72_000);
  about(roomful({ people: 1, ephemeral: 100 }).rowsWritten, 36);
});

test("a busy room is awake all the time, and pays a request for 20 messages", () => {
  const hour = roomful({ people: 100, rate: 100 });
  assert.equal(hour.secondsLeast, 3600);
  assert.equal(hour.secondsMost, 3600);
  about(hour.objectRequests, 36 + (360_000 + 750) / 20);
});

test("who comes, goes and drops costs a row each, and two for a drop", () => {
  const hour = roomful({ people: 2, joins: 2, leaves: 2, drops: 3 });
  // An alarm for each of the five who come and the 15 tokens that are renewed: each finds the room asleep. And one when the
  // last one has gone.
  about(hour.rowsWritten, 2 + 2 + 6 + 36 + 20 + 1);
  about(roomful({ people: 2, joins: 2, leaves: 1, drops: 3 }).rowsWritten, 2 + 1 + 6 + 36 + 20);
  assert.equal(hour.workerRequests, 5);
  about(hour.objectRequests, 5 + 36 + 15 / 20);
});

test("a frame on the heels of another keeps the room awake until there is a pause, and one alone does not", () => {
  about(savingShare(1, 0.1), 0.0090559);
  about(savingShare(10, 0.1), 0.399576);
  about(savingShare(1000, 0.1), 1);
  assert.equal(savingShare(0, 0.1), 0);
  // A message a second and the tokens: 3,607.5 frames and 36 looks of 10 ms, and the share of the hour.
  const hour = roomful({ people: 1, rate: 1 });
  about(hour.secondsLeast, 36.435 + 3600 * (1 - Math.exp(-0.36075 / 3.6)) ** 2);
});

test("an open event stream keeps its room awake for the whole hour", () => {
  const hour = roomful({ people: 1, streams: 1 });
  assert.deepEqual([hour.secondsLeast, hour.secondsMost, hour.rowsRead], [3600, 3600, 0]);
  // It ends with its token six times, by an alarm, and comes back; nobody looks for silence. Two alarms are set each time:
  // when the last one has gone, and for the next token.
  assert.deepEqual([hour.workerRequests, hour.objectRequests, hour.rowsWritten], [6, 12, 12]);
  about(roomful({ people: 2, streams: 1 }).rowsWritten, 36 + 12);
});

test("a message that wakes a room has the ids of its history read", () => {
  // 36 messages, 15 tokens renewed and 36 looks an hour: every 41 s, so that all of them find it asleep.
  about(roomful({ people: 2, rate: 0.01 }).rowsRead, 87 * 14 + 36 * (1000 / 8.64));
  // A publish over HTTP does, too, and has an `id` if the package sends it: 36 looks and 36 publishes.
  about(roomful({ people: 2, calls: 36 }).rowsRead, 87 * 14 + 36 * (1000 / 8.64));
  // At one a second 14 messages of 250 bytes fill a row; at one in an hour each has a row of its own.
  about(historyRows(1, assumed), 1000 / 14);
  about(historyRows(1, { ...assumed, messageBytes: 50 }), 1000 / 32);
  assert.equal(historyRows(1 / 3600, assumed), 1000);
});

test("PartyServer inserts each message, and sleeps only where that is turned on", () => {
  const hour = partyserver({ people: 10, rate: 2 });
  assert.equal(hour.rowsWritten, 7200);
  assert.equal(hour.secondsLeast, 72);
  assert.equal(hour.secondsMost, 3600);
  const other = { ...assumed, partyserver: { rowsPerMessage: 3, hibernates: false } };
  assert.equal(partyserver({ people: 10, rate: 2 }, other).rowsWritten, 21_600);
  assert.equal(partyserver({ people: 10 }, other).secondsLeast, 3600);
  assert.equal(partyserver({ people: 0 }, other).secondsMost, 0);
});

test("hours add up, and a history is bounded", () => {
  assert.deepEqual(sum([{ a: 1, b: 2 }, { a: 3, b: 4 }]), { a: 4, b: 6 });
  assert.equal(kept(10, assumed), 2500);
  assert.equal(kept(1e9, assumed), 250_000);
  assert.equal(kept(1e9, { ...assumed, messageBytes: 10_000 }), 4_194_304);
});

test("a day's course brings everybody in and out once", () => {
  const hours = between(9, 17, { people: 30, rate: 1, drops: 16 });
  assert.equal(hours.length, 24);
  const { joins, leaves, drops } = sum(hours);
  assert.deepEqual([joins, leaves, drops], [30, 30, 16]);
  assert.deepEqual([hours[8].people, hours[9].people, hours[16].people, hours[17].people], [undefined, 30, 30, undefined]);
  assert.equal(sum(always({ people: 5, drops: 24 })).drops, 24);
});

test("the example on Cloudflare's page comes out as it does there", () => {
  // 100 objects with 100 hibernating connections each, a message a minute, 10 ms for each (example 4).
  const use = { object_requests: 21_610_000, gb_seconds: 552_960 };
  about(month(use, cloudflare, { rounded: true }), 20.65);
  about(month(use, cloudflare), 3.0915 + 1.912 + 5);
});

test("what is included is free, and what is beyond may be rounded up to a million", () => {
  assert.deepEqual(beyond({ rows_written: 50e6 }, cloudflare), { rows_written: 0 });
  about(total(beyond({ rows_written: 60e6 }, cloudflare)), 10);
  about(total(beyond({ rows_written: 50e6 + 1 }, cloudflare, { rounded: true })), 1);
  about(total(listed({ rows_written: 2e6, gb_seconds: 331_776 }, cloudflare)), 2 + 4.1472);
});

test("the free plan refuses what is beyond a day's limit, but for the log", () => {
  assert.deepEqual(tooMuchForFree({ rows_written: 100_000, gb_seconds: 13_000, log_gb: 9 }, cloudflare), []);
  assert.deepEqual(tooMuchForFree({ rows_written: 100_001, rows_read: 5_000_001 }, cloudflare), ["rows_written", "rows_read"]);
});

test("Pusher counts as its page does, and has a plan for it, or none", () => {
  assert.equal(deliveries(1, 50), 51);
  assert.equal(deliveries(40_000, 500), 20_040_000);
  const plan = (messagesADay, connections) => pusher({ messagesADay, connections }, prices.pusher)?.name;
  assert.equal(plan(200_000, 100), "Sandbox");
  assert.equal(plan(200_001, 1), "Startup");
  assert.equal(plan(1, 101), "Startup");
  assert.equal(plan(90_000_001, 1), undefined);
});

test("Ably's package is the smallest that takes it, and its use comes on top", () => {
  const use = { messages: 49e6, peakRate: 1000, connections: 300, channels: 1, connectionMinutes: 9e6, channelMinutes: 0 };
  assert.deepEqual(ably(use, prices.ably), { name: "Standard", month: 29 + 122.5 + 9 });
  assert.deepEqual(ably({ ...use, messages: 6e6, peakRate: 500, connections: 200 }, prices.ably), { name: "Free", month: 0 });
  assert.equal(ably({ ...use, peakRate: 2501 }, prices.ably).name, "Pro");
  assert.equal(ably({ ...use, peakRate: 10_001 }, prices.ably), undefined);
});

test("a room that is never quiet pays for 2,592,000 rows and at most for every second of a month", () => {
  const room = { name: "", rooms: 1, days: 30, hours: always({ people: 1, rate: 1 }) };
  const { roomful: own } = report(room, prices);
  about(own.most.use.rows_written, 2_592_000 + 30 * 24 * 36);
  about(own.most.use.gb_seconds, 331_776);
  about(own.most.month, 5);
});

test("what somebody may do without a pause has its price, and uses up a day of the free plan", () => {
  const { use } = abuses()[0];
  about(monthly(use, cloudflare), 20 * 30 * 86.4 * 0.001);
  assert.equal(freeFor(use, cloudflare), 100_000 / 20);
  // 100 frames over each of 50 connections are 250 requests a second.
  about(monthly(abuses()[1].use, cloudflare), 250 * 30 * 86_400 * 0.15e-6);
  assert.equal(freeFor(abuses()[1].use, cloudflare), 400);
  // An object that is awake all day has 11,059 of the 13,000 GB-s.
  assert.ok(freeFor(abuses()[4].use, cloudflare) > 86_400);
});

test("numbers are shown with three figures, and dollars with cents", () => {
  assert.deepEqual([0, 0.00001, 0.0123, 12.345, 1234567].map(figure), ["0", "< 0.001", "0.0123", "12.3", "1,230,000"]);
  assert.deepEqual([0, 0.001, 0.5, 99.999, 1234.5].map(dollars), ["0", "< 0.01", "0.50", "100.00", "1,235"]);
  assert.deepEqual([range(1, 1), range(1, 2)], ["1.00", "1.00 to 2.00"]);
});

test("a page's marks and the tables belong together", () => {
  const page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n";
  assert.equal(fill(page, { x: "new\n" }), "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n");
  assert.throws(() => fill(page, { x: "", y: "" }), /lacks <!-- y -->/);
  assert.throws(() => fill(page, {}), /no table x/);
});

test("what is assumed of Roomful are its defaults", () => {
  const page = readFileSync(at("docs", "operations.md"), "utf8");
  const limit = (name) => Number(page.match(new RegExp(`^\\| \`${name}\` \\| (\\d+) \\|`, "m"))[1]);
  assert.equal(assumed.pingSeconds, limit("PING_SECONDS"));
  assert.equal(assumed.commitsPerSecond, limit("COMMITS_PER_SECOND"));
  assert.equal(assumed.graceSeconds, limit("GRACE_SECONDS"));
  assert.equal(assumed.historyMessages, limit("HISTORY_MESSAGES"));
  assert.equal(assumed.historyBytes, limit("HISTORY_BYTES"));
  const saving = readFileSync(at("src", "room", "saving.rs"), "utf8");
  const pause = saving.match(/^const PAUSE: u64 = ([\d_]+);$/m)?.[1].replace("_", "");
  assert.equal(pause, String(assumed.saveSeconds * 1000), "the room saves otherwise: savingShare in scripts/costs/usage.mjs");
  const row = readFileSync(at("src", "room", "row.rs"), "utf8");
  const bound = (name) => Number(row.match(new RegExp(`^const ${name}: u64 = ([\\d_]+);$`, "m"))?.[1].replace("_", ""));
  assert.deepEqual([bound("GROWN_MESSAGES"), bound("GROWN_BYTES")], [assumed.rowMessages, assumed.rowBytes]);
  const seconds = Math.min(bound("GROWN_MS") / 1000, limit("HISTORY_SECONDS") / bound("GROWN_PART_OF_AGE"));
  assert.equal(seconds, assumed.rowSeconds);
  assert.equal(assumed.messagesARequest, cloudflare.messages_a_request);
  assert.equal(limits.ratePerSecond, limit("RATE_PER_SECOND"));
  assert.equal(limits.connections, limit("MAX_CONNECTIONS_PER_USER"));
  assert.equal(limits.connectsPerSecond, limits.connections / 10);
  const client = (...parts) => readFileSync(at("client", "src", ...parts), "utf8");
  assert.equal(assumed.tokenSeconds, Number(client("server", "token.ts").match(/^  expiresIn = (\d+),$/m)[1]));
  const [, from, span] = client("connection.ts").match(/expiresIn \* \(([\d.]+) \+ ([\d.]+) \* Math\.random\(\)\)/);
  about(assumed.renewedAfter, Number(from) + Number(span) / 2);
});

test("every price names its source", () => {
  const named = [...Object.values(cloudflare.meters), prices.pusher, prices.ably];
  for (const { source } of named) assert.ok(prices.sources[source]?.page && prices.sources[source]?.date, source);
});

test("the tables of docs/costs.md are those that the prices and the model make", () => {
  const file = at("docs", "costs.md");
  const page = readFileSync(file, "utf8");
  const current = fill(page, tables(prices));
  if (page !== current && process.env.UPDATE_DOCS) return writeFileSync(file, current);
  assert.equal(page, current, "bring it up to date with UPDATE_DOCS=1 npm test -- unit costs");
});
