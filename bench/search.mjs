// Finds the largest crowd that a subject carries.

const NEAR = 1.05;
const STEP = 1.5;

/**
 * The largest number for which `carries` holds, to five per cent, beginning with `guess`; 0 if there is none. It asks at
 * most `probes` times.
 */
export async function largest(carries, { guess, probes, least = 2, most = 4000 }) {
  let [good, bad] = [0, Infinity];
  let next = guess;
  const asked = [];
  while (asked.length < probes && next !== undefined) {
    const carried = await carries(next);
    asked.push({ people: next, carried });
    if (carried) good = Math.max(good, next);
    else bad = Math.min(bad, next);
    next = following(good, bad, { least, most });
  }
  return { people: good, above: bad === Infinity ? null : bad, asked };
}

function following(good, bad, { least, most }) {
  if (bad === Infinity) return good >= most ? undefined : Math.min(most, Math.round(good * STEP));
  if (good === 0) return bad <= least ? undefined : Math.max(least, Math.floor(bad / STEP));
  if (bad <= Math.ceil(good * NEAR) || bad - good <= 1) return undefined;
  return Math.round((good + bad) / 2);
}
