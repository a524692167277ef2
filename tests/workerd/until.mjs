import { setTimeout as pause } from "node:timers/promises";

/** Something did not come about in time. */
export class Late extends Error {}

/**
 * Waits until `condition` gives something, and returns that. Looks again and again, and gives up after `within`
 * milliseconds, saying what (a text, or a function that gives one) it has waited for.
 */
export async function until(condition, what, { within = 10_000 } = {}) {
  const end = performance.now() + within;
  for (;;) {
    const outcome = await condition();
    if (outcome) return outcome;
    if (performance.now() > end)
      throw new Late(`waited ${within / 1000} s for ${typeof what === "function" ? what() : what}`);
    await pause(4);
  }
}

/** Waits until the clock that all processes share has reached a time in milliseconds. */
export const reach = (time) => until(() => Date.now() >= time, `the clock to reach ${time}`, { within: 60_000 });
