// What is wanted of a figure, and whether it is so.
import { figure, text } from "./statistics.mjs";

/** A target for a number or a spread; what is not known, or lacks what it is compared with, is neither met nor missed. */
export function target(what, value, { atMost, atLeast, unit = "" }) {
  const middle = typeof value === "number" ? value : value?.median;
  const met = atMost === undefined ? middle >= atLeast : middle <= atMost;
  return {
    what,
    target:
      atMost === undefined
        ? `at least ${figure(atLeast)}${unit}`
        : atMost === 0
          ? `0${unit}`
          : `at most ${figure(atMost)}${unit}`,
    got: text(value, { unit }),
    met: Number.isFinite(middle) ? met : null,
  };
}

/** A target that is not a number. */
export const holds = (what, met) => ({ what, target: "yes", got: met ? "yes" : "no", met: met ?? null });
