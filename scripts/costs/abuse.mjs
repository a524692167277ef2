// What one user, or a stranger, can make of a bill: all that a room lets them do, at the default limits, without a pause.
import { listed, total } from "./bill.mjs";
import { assumed } from "./usage.mjs";

const MONTH = 30 * 86_400;

/** The limits that hold them off, beside those of usage.mjs. */
export const limits = {
  /** RATE_PER_SECOND: messages of a connection, and requests of a user over HTTP. */
  ratePerSecond: 100,
  /** MAX_CONNECTIONS_PER_USER. */
  connections: 50,
  /** How often a user may connect in the long run (N11). */
  connectsPerSecond: 5,
  /** Nothing of Roomful's: how many refused requests are reckoned with. */
  strangersPerSecond: 1000,
};

/** Each: what is done, and what of it is billed in a second. */
export function abuses({ cpuMs, commitsPerSecond, messagesARequest, logBytes } = assumed, gb = 0.128) {
  const { ratePerSecond, connections, connectsPerSecond, strangersPerSecond } = limits;
  const asked = (times) => ({ worker_requests: times, worker_cpu_ms: times * cpuMs });
  const called = (times) => ({ ...asked(times), object_requests: times });
  return [
    { what: `publishes: all stored messages of a room are ${commitsPerSecond} rows a second`, use: { rows_written: commitsPerSecond } },
    {
      what: `sends ${ratePerSecond} frames a second over each of ${connections} connections`,
      use: { object_requests: (ratePerSecond * connections) / messagesARequest },
    },
    {
      // A join, a leave, and in a room that is empty otherwise two alarms.
      what: `comes and goes ${connectsPerSecond} times a second`,
      use: { ...called(connectsPerSecond), rows_written: 4 * connectsPerSecond },
    },
    { what: `asks ${ratePerSecond} times a second over HTTP`, use: called(ratePerSecond) },
    { what: "keeps the room awake", use: { gb_seconds: gb } },
    {
      what: `a stranger: ${strangersPerSecond.toLocaleString("en")} refused requests a second, each with a line in the log`,
      use: { ...asked(strangersPerSecond), log_gb: (strangersPerSecond * logBytes) / 1e9 },
    },
  ];
}

/** What that costs in a month at the list price. */
export const monthly = (use, cloudflare) =>
  total(listed(Object.fromEntries(Object.entries(use).map(([name, each]) => [name, each * MONTH])), cloudflare));

/** After how many seconds the free plan refuses more of the same to the whole account, until midnight UTC. */
export function freeFor(use, { meters }) {
  // A log that is full refuses nothing.
  const counted = Object.entries(use).filter(([name]) => !name.startsWith("log_"));
  return Math.min(...counted.map(([name, each]) => (meters[name].free_a_day ?? Infinity) / each));
}
