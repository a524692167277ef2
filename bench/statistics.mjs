// Medians and spreads of several runs, and how they are printed.

/** The median of what several runs gave, with the least and the most; undefined if none gave anything. */
export function spread(values) {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (!sorted.length) return undefined;
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median: short(median), least: short(sorted[0]), most: short(sorted.at(-1)), runs: sorted.length };
}

/** A value of each run by that of another subject's run in the same round: the machine's drift falls out. */
export const ratio = (ours, theirs) => spread(ours.map((value, round) => value / theirs[round]));

const short = (value) => Number(value.toPrecision(4));

/** A spread as text: `6.9 (6.5–7.2)`. `scale` multiplies, `unit` follows the median. */
export function text(value, { unit = "", scale = 1, alone = false } = {}) {
  if (typeof value === "number") return Number.isFinite(value) ? figure(value * scale) + unit : "–";
  if (!value) return "–";
  const { median, least, most, runs } = value;
  const [middle, low, high] = [median, least, most].map((one) => figure(one * scale));
  return alone || runs === 1 || low === high ? middle + unit : `${middle}${unit} (${low}–${high})`;
}

/** Three digits that count. */
export function figure(value) {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1).replace(/\.0$/, "");
  if (size >= 1) return value.toFixed(2).replace(/\.?0+$/, "");
  return value === 0 ? "0" : String(Number(value.toPrecision(3)));
}

/** All CPU of a process in a window, in cores. */
export const cores = (cpu) => (cpu ? cpu.user + cpu.system : undefined);
