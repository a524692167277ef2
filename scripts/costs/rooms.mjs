// The rooms that docs/costs.md reckons with, as courses of a day: 24 hours each (see usage.mjs for what an hour holds).
const night = {};
const day = (hourOf) => Array.from({ length: 24 }, (_, hour) => hourOf(hour));

/** Hours from..to (the last one excluded) alike; everybody comes in the first and leaves in the last. */
export function between(from, to, { people, drops = 0, ...rest }) {
  return day((hour) => {
    if (hour < from || hour >= to) return night;
    const joins = hour === from ? people : 0;
    const leaves = hour === to - 1 ? people : 0;
    return { people, ...rest, drops: drops / (to - from), joins, leaves };
  });
}

/** The same all day, nobody comes or goes but for drops, of which each person has `drops` a day. */
export const always = ({ drops = 0, ...hour }) => day(() => ({ ...hour, drops: drops / 24 }));

/** Each: what it is, how many such rooms there are, on how many days of a month, and a day's course. */
export const rooms = [
  {
    name: "office",
    about: "office hours: 30 people from 9 to 17, 12 messages a minute in all, everybody drops twice a day; 22 days a month",
    rooms: 1,
    days: 22,
    hours: between(9, 17, { people: 30, rate: 0.2, drops: 60 }),
  },
  {
    name: "event",
    about: "an event: 500 people for one hour, 10 messages a second, each drops once; one a week",
    rooms: 1,
    days: 4,
    hours: between(20, 21, { people: 500, rate: 10, drops: 500 }),
  },
  {
    name: "always on",
    about: "never quiet: 50 people, 1 message a second, day and night",
    rooms: 1,
    days: 30,
    hours: always({ people: 50, rate: 1, drops: 100 }),
  },
  {
    name: "torrent",
    about: "100 people, 100 messages a second, all stored, day and night",
    rooms: 1,
    days: 30,
    hours: always({ people: 100, rate: 100, drops: 200 }),
  },
  {
    name: "idle",
    about: "10 people who say nothing and only ping, day and night",
    rooms: 1,
    days: 30,
    hours: always({ people: 10, drops: 10 }),
  },
  {
    name: "cursors",
    about: "20 people who move cursors, 10 ephemeral messages a second each, 2 hours a day; 22 days a month",
    rooms: 1,
    days: 22,
    hours: between(14, 16, { people: 20, ephemeral: 200, drops: 20 }),
  },
  {
    name: "1,000 small",
    about: "1,000 rooms of 3 people from 9 to 17, a message each 12 seconds in each room; 22 days a month",
    rooms: 1000,
    days: 22,
    hours: between(9, 17, { people: 3, rate: 1 / 12, drops: 6 }),
  },
  {
    name: "100 streams",
    about: "100 rooms with one event stream each, open day and night, a message over HTTP each minute in each room",
    rooms: 100,
    days: 30,
    hours: always({ people: 1, streams: 1, calls: 60 }),
  },
];
