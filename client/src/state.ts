// The own presence state.
import type { ClientMessage } from "./wire.ts";

type Patch = Readonly<Record<string, unknown>>;

/** A state with a patch merged into it; `null` takes a key away (P1). */
export function patched(state: unknown, patch: Patch): unknown {
  const merged: Record<string, unknown> = { ...(state instanceof Object && !Array.isArray(state) && state) };
  for (const key in patch) {
    if (patch[key] === null) delete merged[key];
    else merged[key] = patch[key];
  }
  return merged;
}

/** Whether two values are written the same as JSON. */
export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** By this id, errors that are about a state can be told from others. */
export const STATE_ID = "state";

/**
 * Tells the room of the own state, though not of each change by itself.
 *
 * Two messages that `send` gets are at least `throttle` milliseconds apart; `show` hears of a change at once. A state
 * that is not `valid` never becomes the own one.
 */
export function createOwnState(
  send: (message: ClientMessage) => void,
  show: () => void,
  throttle: number,
  valid: (state: unknown) => boolean,
) {
  let value: unknown = null;
  /** What changed since the last message; `undefined` if that is all of it. */
  let changes: Patch | undefined = {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sent = 0;

  function schedule(pause: number): void {
    const wait = Math.max(pause, Math.min(throttle, sent + throttle - Date.now()));
    timer ??= wait > 0 ? setTimeout(flush, wait) : flush();
  }

  function flush(): undefined {
    const patch = changes;
    rest();
    sent = Date.now();
    // Without a connection nothing is sent: the next welcome shows what the room lacks.
    send({ type: "state", id: STATE_ID, patch, state: patch ? undefined : value });
  }

  /** `patch` is what changed, if that is not all of it. */
  function become(state: unknown, patch?: Patch): void {
    if (!valid(state)) return;
    value = state;
    changes = patch && changes && { ...changes, ...patch };
    schedule(0);
    // Last: whoever is told may change it again.
    show();
  }

  /** Sends nothing until the next change. */
  function rest(): void {
    clearTimeout(timer);
    timer = undefined;
    changes = {};
  }

  /** Sends all of it, after `pause` milliseconds at the earliest. */
  function sendAll(pause = 1_000): void {
    rest();
    whole();
    schedule(pause);
  }

  /** Sends all of it with the next change. */
  function whole(): void {
    changes = undefined;
  }

  return {
    rest,
    sendAll,
    whole,
    /** What it is meant to be. */
    get state() {
      return value;
    },
    /** Forgets it. */
    forget(): void {
      value = null;
    },
    set(state: unknown): void {
      become(state ?? null);
    },
    update(patch: Patch): void {
      // What is undefined would get lost on the way.
      const clean: Record<string, unknown> = { ...patch };
      for (const key in clean) clean[key] ??= null;
      become(patched(value, clean), clean);
    },
  };
}
