// What a room costs, from the published prices (costs/prices.json; docs/costs.md says how): npm run costs [-- <options>]
//
//   --people <n>       people in the room (30)
//   --rate <r>         messages a second of all of them together, stored (1)
//   --ephemeral <r>    likewise, ephemeral (0)
//   --hours <h>        hours a day in which they are there (8)
//   --days <d>         days a month (22)
//   --drops <n>        connections lost and resumed, a day and person (2)
//   --calls <n>        publishes over HTTP an hour (0)
//   --streams <n>      how many of the people follow an event stream and have no WebSocket (0)
//   --rooms <n>        such rooms (1)
//   --handler-ms <n>   how long an event keeps an object awake (10)
//   --ping <s>, --commits <n>, --history <n>    PING_SECONDS, COMMITS_PER_SECOND, HISTORY_MESSAGES
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { total } from "./costs/bill.mjs";
import { report } from "./costs/report.mjs";
import { between } from "./costs/rooms.mjs";
import { dollars, figure, range } from "./costs/tables.mjs";
import { assumed } from "./costs/usage.mjs";
import { at } from "./project.mjs";
import { Failure, main } from "./step.mjs";

const prices = JSON.parse(readFileSync(at("scripts", "costs", "prices.json"), "utf8"));
const numbers = { people: 30, rate: 1, ephemeral: 0, hours: 8, days: 22, drops: 2, calls: 0, streams: 0, rooms: 1 };
const limits = {
  "handler-ms": ["handlerSeconds", 0.001],
  ping: ["pingSeconds", 1],
  commits: ["commitsPerSecond", 1],
  history: ["historyMessages", 1],
};

await main(async (args) => {
  const names = [...Object.keys(numbers), ...Object.keys(limits)];
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" }]));
  const { values } = parseArgs({ args, options });
  const given = (name, otherwise) => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (!(value >= 0 && value < Infinity)) throw new Failure(`--${name} needs a number`);
    return value;
  };
  const asked = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, given(name, value)]));
  const settings = { ...assumed };
  for (const [name, [key, unit]] of Object.entries(limits)) settings[key] = given(name, assumed[key] / unit) * unit;
  if (!(settings.pingSeconds > 0 && settings.commitsPerSecond > 0)) throw new Failure("--ping and --commits need more than 0");
  if (!Number.isInteger(asked.hours) || asked.hours < 1 || asked.hours > 24) throw new Failure("--hours needs 1 to 24");
  const { hours, days, rooms, drops, ...hour } = asked;
  const course = between(0, hours, { ...hour, drops: drops * hour.people });
  show(report({ name: "this room", rooms, days, hours: course }, prices, settings));
});

function show({ hourly, messages, roomful: { least, most }, partyserver, pusher, ably }) {
  const { meters } = prices.cloudflare;
  print("hour", "messages", "requests", "rows", "seconds awake");
  for (const [hour, use] of hourly.entries()) {
    const awake = range(use.secondsLeast, use.secondsMost, figure);
    if (use.logLines) print(hour, figure(use.messages), figure(use.objectRequests), figure(use.rowsWritten), awake);
  }
  console.log(`\na month: ${figure(messages)} messages`);
  for (const [name, used] of Object.entries(least.use)) {
    const amount = range(used, most.use[name], figure);
    console.log(`  ${meters[name].name}: ${amount}, $${range(least.listed[name], most.listed[name])}`);
  }
  console.log(`  all of it: $${range(total(least.listed), total(most.listed))}, nothing taken as included`);
  console.log(`  lines in Workers Logs, if invocations are logged: ${figure(least.lines)}, $${dollars(least.listedLog)}`);
  console.log(`\nthe bill of an account that does nothing else, $ a month`);
  console.log(`  Roomful: ${range(least.month, most.month)}; fits the free plan: ${least.free.length ? "no" : "yes"}`);
  console.log(`  PartyServer, hibernating: ${range(partyserver.asleep.least.month, partyserver.asleep.most.month)}`);
  console.log(`  PartyServer, as it comes: ${range(partyserver.awake.least.month, partyserver.awake.most.month)}`);
  for (const [name, plan] of [["Pusher Channels", pusher], ["Ably, older accounts", ably]]) {
    console.log(`  ${name}: ${plan ? `${dollars(plan.month)} (${plan.name})` : "on request"}`);
  }
}

function print(...cells) {
  console.log(cells.map((cell) => String(cell).padStart(16)).join(""));
}
