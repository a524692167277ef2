import { setTimeout as pause } from "node:timers/promises";

/** Something did not come about in time. */
export class Late extends Error {}

/** Who looked less often than this was not given the time to see anything. */
const LOOKS = 20;

/**
 * Waits until `condition` gives something, and returns that. Looks again and again, and gives up after `within`
 * milliseconds, saying what (a text, or a function that gives one) it has waited for.
 *
 * How long is for a machine that has much else to do: nothing is to be concluded from it but that something does not come.
 */
export async function until(condition, what, { within = 30_000 } = {}) {
  const end = performance.now() + within;
  for (let looks = 1; ; looks++) {
    const outcome = await condition();
    if (outcome) return outcome;
    if (performance.now() > end && looks >= LOOKS)
      throw new Late(`waited ${within / 1000} s for ${typeof what === "function" ? what() : what}`);
    await pause(4);
  }
}

/** Waits until the clock that all processes share has reached a time in milliseconds. */
export const reach = (time) => until(() => Date.now() >= time, `the clock to reach ${time}`, { within: 60_000 });

/** The runtime puts an object out of memory that has had nothing to do for 10 s. */
const QUIET_MS = 12_500;

/**
 * Leaves a room alone until it sleeps, and wakes it by asking since when it is awake, which is what `wokenAt` does. A busy
 * machine may be late; who asks too early keeps the room awake, and leaves it alone again. What would wake it by itself, or
 * keep it awake, does so every time.
 */
export async function sleeps(wokenAt) {
  for (let times = 0; times < 3; times++) {
    await reach(Date.now() + QUIET_MS);
    const asked = Date.now();
    // The two clocks are one, but not read in the same millisecond.
    if ((await wokenAt()) > asked - 100) return;
  }
  throw new Late("the room does not sleep until it is asked");
}
