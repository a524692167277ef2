// What a room uses, hour by hour, in the units that Cloudflare bills. Every function is pure; docs/costs.md says the same in
// words. An hour is { people, rate, ephemeral, joins, leaves, drops, calls, streams }: `rate` and `ephemeral` are messages a
// second of all people together, `drops` are connections lost that come back, `calls` are publishes over HTTP, `streams` are
// those of the people who follow an event stream and have no WebSocket.
const HOUR = 3600;
const QUIET = { people: 0, rate: 0, ephemeral: 0, joins: 0, leaves: 0, drops: 0, calls: 0, streams: 0 };

/** What is assumed unless told otherwise: the limits' defaults, and how people and the platform behave. */
export const assumed = {
  pingSeconds: 25,
  commitsPerSecond: 20,
  /** The pause after which a room saves what it knows of connections, if frames came closer together (src/room/saving.rs). */
  saveSeconds: 0.1,
  graceSeconds: 10,
  historyMessages: 1000,
  /** How far a row of the log grows (src/room/row.rs): messages, bytes, seconds. */
  rowMessages: 32,
  rowBytes: 3500,
  rowSeconds: 864,
  /** Rows that a wake reads, beside one for each member. */
  wakeRows: 12,
  historyBytes: 4194304,
  /** How long a token lives: what `roomful/server` gives unless told otherwise. */
  tokenSeconds: 600,
  /** When a client has renewed its token, as a part of that: at 70 to 90 %, by chance. */
  renewedAfter: 0.8,
  /** How long an event keeps an object awake: Cloudflare's own example has 10 ms. */
  handlerSeconds: 0.01,
  /** How long a quiet object stays in memory. Cloudflare says that it is not billed; the upper bounds bill it. */
  lingerSeconds: 10,
  messagesARequest: 20,
  cpuMs: 5,
  messageBytes: 250,
  roomBytes: 50000,
  logBytes: 1000,
  partyserver: { rowsPerMessage: 1, hibernates: true },
};

/** The share of the time in which a timer runs, of `rate` frames a second that come at random: a frame that comes within
 * `saveSeconds` of another keeps the room from being put away until nothing has come for that long. */
export const savingShare = (rate, saveSeconds) => (1 - Math.exp(-rate * saveSeconds)) ** 2;

/** Looks for silence: one in four times PING_SECONDS while anybody is there with a WebSocket, however many. */
export const alarms = ({ people, streams = 0 }, { pingSeconds }) => (people > streams ? HOUR / (4 * pingSeconds) : 0);

/** The alarm that is set when the last one has gone, so that the room erases itself if nobody comes back (N9). */
export const vacancies = ({ people, leaves }) => (leaves > 0 && leaves >= people ? 1 : 0);

/** Seconds of an hour in which a room of Roomful is awake: `least` bills what Cloudflare's page says, `most` also each wait
 * for hibernation. To gather messages takes less time than to save, so its timer does not count. */
export function awake({ drops = 0, streams = 0 }, { frames, events }, { handlerSeconds, lingerSeconds, saveSeconds, graceSeconds }) {
  if (streams > 0) return { least: HOUR, most: HOUR };
  const least = events * handlerSeconds + HOUR * savingShare(frames / HOUR, saveSeconds) + drops * graceSeconds;
  const most = events * (lingerSeconds + handlerSeconds) + drops * graceSeconds;
  return { least: Math.min(HOUR, least), most: Math.min(HOUR, Math.max(least, most)) };
}

/** The part of an hour's events that find the room asleep, at most: all of them if they come seldom and evenly, and those after
 * a long gap if they come often and at random. Whoever publishes with an `id` then has the ids of the history read. */
function wakes(events, { streams }, { lingerSeconds }) {
  if (streams > 0) return 0;
  const meanwhile = (events / HOUR) * lingerSeconds;
  return meanwhile < 1 ? 1 : Math.exp(-meanwhile);
}

/** Rows of the log that a full history takes if messages come so many a second, each in a flush of its own. */
export function historyRows(rate, { historyMessages, messageBytes, rowMessages, rowBytes, rowSeconds }) {
  const together = Math.min(rowMessages, Math.floor(rowBytes / messageBytes), rate * rowSeconds);
  return historyMessages / Math.max(1, together);
}

/** An hour of a room of Roomful. */
export function roomful(part, settings = assumed) {
  const hour = { ...QUIET, ...part };
  const { people, rate, ephemeral, joins, leaves, drops, calls, streams } = hour;
  const renewals = (Math.max(0, people - streams) * HOUR) / (settings.tokenSeconds * settings.renewedAfter);
  // A stream cannot renew its token: an alarm ends both, and it comes back with another one.
  const returns = (streams * HOUR) / settings.tokenSeconds;
  const frames = HOUR * (rate + ephemeral) + renewals;
  const looks = alarms(hour, settings) + returns;
  const connects = joins + drops + returns;
  const events = frames + looks + connects + leaves + drops + calls;
  const asleep = wakes(events, hour, settings);
  const stored = HOUR * rate + calls;
  const members = joins + leaves + 2 * drops;
  // For a token that ends the first one after a wake sets an alarm. Where the last stream has ended, there is one more.
  const set = asleep * (connects + renewals) + returns;
  return {
    ...used({ connects, calls, frames, alarms: looks, events, seconds: awake(hour, { frames, events }, settings) }, settings),
    rowsWritten: Math.min(stored, HOUR * settings.commitsPerSecond) + members + looks + vacancies(hour) + set,
    rowsRead: asleep * (events * (settings.wakeRows + people) + stored * historyRows(stored / HOUR, settings)),
    messages: HOUR * (rate + ephemeral) + calls,
    stored,
  };
}

/** An hour of a room on PartyServer that inserts each message into a table and gives presence no rows. */
export function partyserver(part, settings = assumed) {
  const { people, rate, ephemeral, joins, leaves, drops, calls } = { ...QUIET, ...part };
  const { rowsPerMessage, hibernates } = settings.partyserver;
  const { handlerSeconds, lingerSeconds } = settings;
  const frames = HOUR * (rate + ephemeral);
  const connects = joins + drops;
  const events = frames + connects + leaves + drops + calls;
  const stored = HOUR * rate + calls;
  const atMost = (seconds) => Math.min(HOUR, events * seconds);
  const sleeps = hibernates || people === 0;
  const seconds = {
    least: sleeps ? atMost(handlerSeconds) : HOUR,
    most: sleeps ? atMost(lingerSeconds + handlerSeconds) : HOUR,
  };
  return {
    ...used({ connects, calls, frames, alarms: 0, events, seconds }, settings),
    rowsWritten: stored * rowsPerMessage,
    rowsRead: 0,
    messages: HOUR * (rate + ephemeral) + calls,
    stored,
  };
}

// What is counted alike whoever runs in the object.
function used({ connects, calls, frames, alarms, events, seconds }, { cpuMs, messagesARequest }) {
  const workerRequests = connects + calls;
  return {
    workerRequests,
    workerCpuMs: workerRequests * cpuMs,
    objectRequests: connects + calls + alarms + frames / messagesARequest,
    secondsLeast: seconds.least,
    secondsMost: seconds.most,
    // One line of the log for each invocation, of the Worker and of the object.
    logLines: workerRequests + events,
  };
}

/** The sum of several hours. */
export function sum(hours) {
  const total = {};
  for (const hour of hours) for (const [key, value] of Object.entries(hour)) total[key] = (total[key] ?? 0) + value;
  return total;
}

/** The same, so many times. */
export const times = (usage, factor) => Object.fromEntries(Object.entries(usage).map(([key, value]) => [key, value * factor]));

/** What a month of `rooms` such rooms is billed for, in the units of prices.json; `bound` is "least" or "most". */
export function meters(month, bound, { rooms = 1, keeps = 0, settings = assumed, gb = 0.128 }) {
  const log_gb = (month.logLines * settings.logBytes) / 1e9;
  return {
    worker_requests: month.workerRequests,
    worker_cpu_ms: month.workerCpuMs,
    object_requests: month.objectRequests,
    gb_seconds: gb * (bound === "least" ? month.secondsLeast : month.secondsMost),
    rows_written: month.rowsWritten,
    rows_read: month.rowsRead,
    stored_gb: (rooms * (settings.roomBytes + keeps)) / 1e9,
    log_gb,
    log_gb_months: (log_gb * 7) / 30,
  };
}

/** Bytes that a room's history keeps of so many messages a day. */
export function kept(storedADay, { historyMessages, historyBytes, messageBytes }) {
  return Math.min(Math.min(storedADay, historyMessages) * messageBytes, historyBytes);
}
