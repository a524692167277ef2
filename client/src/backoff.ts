// How long to wait before the next attempt at a connection. In milliseconds.

const FIRST = 500;
const LAST = 30_000;
/** Before it, the server does not want to see us again (4300 to 4499). */
const SLOW = 10_000;

/**
 * The pause before an attempt, of which so many have failed: anywhere between nothing and the whole of it, for a crowd
 * that was dropped together must not return together.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export const pauseBefore = (failed: number, slow: boolean): number =>
  (slow ? SLOW : 0) + Math.random() * Math.min(LAST, FIRST * 2 ** failed);
