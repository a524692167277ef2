// When memory counts as flat.

/**
 * The rule. The first third of a run is for filling caches and the history, and for the runtime's garbage collector to find
 * its rhythm. From there on the straight line of least squares through all samples may rise by that share of the median an
 * hour, and the median of the last third may lie that far above the one of the second. A run that is shorter than this is
 * too short for that.
 */
export const LEAST_MINUTES = 20;
export const RISE_PER_HOUR = 0.15;
export const RISE_BETWEEN_THIRDS = 0.05;

/** What the samples say of `key`: the medians of the thirds, the slope of the last two an hour, and whether it is flat. */
export function flatness(samples, key) {
  const end = samples.at(-1).seconds;
  const thirds = [0, 1, 2].map((third) =>
    samples.filter(({ seconds }) => seconds >= (end * third) / 3 && seconds <= (end * (third + 1)) / 3),
  );
  const [first, second, last] = thirds.map((part) => median(part.map((sample) => sample[key])));
  const slope = 3600 * risePerSecond([...thirds[1], ...thirds[2]], key);
  const flat = slope <= RISE_PER_HOUR * second && last <= second * (1 + RISE_BETWEEN_THIRDS);
  return { thirds: [first, second, last], slope, flat };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function risePerSecond(samples, key) {
  const mean = (read) => samples.reduce((sum, sample) => sum + read(sample), 0) / samples.length;
  const [x, y] = [mean(({ seconds }) => seconds), mean((sample) => sample[key])];
  const spread = mean(({ seconds }) => (seconds - x) ** 2);
  return spread && mean((sample) => (sample.seconds - x) * (sample[key] - y)) / spread;
}
