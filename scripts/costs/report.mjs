// A room's month: what it uses, what it costs, and what the same would cost elsewhere.
import { ably, deliveries, listed, month, pusher, tooMuchForFree, total } from "./bill.mjs";
import { assumed, kept, meters, partyserver, roomful, sum, times } from "./usage.mjs";

const BOUNDS = ["least", "most"];

/** Everything that the tables and the command show of a room. */
export function report(room, prices, settings = assumed) {
  const { hours, rooms, days } = room;
  const { stored } = sum(hours.map((hour) => roomful(hour, settings)));
  const known = { ...settings, historyMessages: Math.min(settings.historyMessages, stored) };
  const hourly = hours.map((hour) => roomful(hour, known));
  const day = sum(hourly);
  const people = Math.max(...hours.map((hour) => hour.people ?? 0));
  const own = bounds(day, room, prices, settings, kept(day.stored, settings));
  const peer = (hibernates, rowsPerMessage) => {
    const other = { ...settings, partyserver: { ...settings.partyserver, hibernates, rowsPerMessage } };
    const theirs = sum(hours.map((hour) => partyserver(hour, other)));
    return bounds(theirs, room, prices, other, kept(theirs.stored, settings));
  };
  return {
    room,
    people: people * rooms,
    hourly,
    messages: day.messages * rooms * days,
    roomful: own,
    partyserver: { asleep: peer(true, 1), pruned: peer(true, 2), indexed: peer(true, 3), awake: peer(false, 1) },
    pusher: pusher({ messagesADay: received(hours) * rooms, connections: people * rooms }, prices.pusher),
    ably: ably(
      {
        messages: received(hours) * rooms * days,
        peakRate: Math.max(...hours.map((hour) => deliveries(said(hour) / 3600, hour.people ?? 0))) * rooms,
        connections: people * rooms,
        channels: rooms,
        connectionMinutes: hours.reduce((minutes, hour) => minutes + 60 * (hour.people ?? 0), 0) * rooms * days,
        channelMinutes: hours.filter((hour) => hour.people > 0).length * 60 * rooms * days,
      },
      prices.ably,
    ),
  };
}

const said = ({ rate = 0, ephemeral = 0, calls = 0 }) => 3600 * (rate + ephemeral) + calls;
const received = (hours) => hours.reduce((count, hour) => count + deliveries(said(hour), hour.people ?? 0), 0);

// A month of Cloudflare's, from both sides. The log is kept apart: it can be turned off.
function bounds(day, { rooms, days }, { cloudflare }, settings, keeps) {
  const options = { rooms, keeps, settings, gb: cloudflare.gb_of_an_object };
  const each = BOUNDS.map((bound) => {
    const use = meters(times(day, rooms * days), bound, options);
    const { log_gb, log_gb_months, ...rest } = use;
    return {
      use: rest,
      lines: days * rooms * day.logLines,
      listed: listed(rest, cloudflare),
      listedLog: total(listed({ log_gb, log_gb_months }, cloudflare)),
      month: month(rest, cloudflare),
      rounded: month(rest, cloudflare, { rounded: true }),
      free: tooMuchForFree(meters(times(day, rooms), bound, options), cloudflare),
    };
  });
  return { least: each[0], most: each[1] };
}
