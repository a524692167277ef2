// When a selection counts as unchanged.

/**
 * Whether two values are the same, or two arrays or plain objects with the same content one level deep. Anything
 * else (a `Map`, a `Date` …) is only ever the same as itself.
 *
 * ```ts
 * const names = useOthers((others) => others.map(({ user }) => user.info.name), shallow);
 * ```
 */
export function shallow(a: any, b: any): boolean {
  const kind = a?.constructor;
  if (a === b || kind !== b?.constructor || (kind !== Object && kind !== Array)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && a[key] === b[key]);
}
