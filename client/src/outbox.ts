// What waits for the room's answer.
import { RoomfulError } from "./error.ts";
import type { ClientMessage, Welcome } from "./wire.ts";

/** How long a refused message waits at least, in milliseconds. */
const PAUSE = 1_000;

interface Entry {
  readonly frame: string;
  /** Not to be sent a second time: the room could not tell that it had it. */
  readonly once: boolean;
  sent: boolean;
  readonly fulfil: (answer: never) => void;
  readonly refuse: (error: RoomfulError) => void;
}

/**
 * Messages that are sent again after every loss of the connection until the room has answered them. `send` tells
 * whether it could. Beyond `limit` messages that wait nothing more is published; what is asked for still is.
 */
export function createOutbox(send: (text: string) => boolean, limit: number) {
  const entries = new Map<string, Entry>();
  /** What the room takes, as far as it is known. */
  let limits: Partial<Welcome["limits"]> = {};
  /** How much of what it takes in a second is left. More would be refused, and overtaken. */
  let left = 0;
  let begun = 0;
  let lastId = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Sends what is not sent yet, in order. */
  function flush(): void {
    rest();
    if (Math.abs(Date.now() - begun) >= PAUSE) {
      begun = Date.now();
      left = limits.rate_per_second ?? 100;
    }
    for (const [id, entry] of entries) {
      if (entry.sent) continue;
      if (!left) return later();
      if (!submit(id, entry)) return;
      left--;
    }
  }

  /** The error of what is larger than the room takes. */
  function excess(what: "message" | "state", text: string): RoomfulError | undefined {
    const most = limits[`${what}_bytes` as const]!;
    if (!(new TextEncoder().encode(text).length > most)) return undefined;
    return new RoomfulError(`${what}_too_large`, `More than ${most} bytes.`);
  }

  /** Sends a message, or refuses what the room would not even read: its error could not say which one it is about. */
  function submit(id: string, entry: Entry): boolean {
    const error = excess("message", entry.frame);
    return error ? settle(id, error) : (entry.sent = send(entry.frame));
  }

  function later(pause = 0): void {
    timer ??= setTimeout(flush, Math.max(PAUSE, pause));
  }

  function rest(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  /** The error that a message got, or the room's answer to it. Returns whether that was the end of it. */
  function settle(id: string, error: RoomfulError | undefined, answer?: unknown): boolean {
    const entry = entries.get(id);
    if (entry && error?.retryable && !entry.once) {
      entry.sent = false;
      later(error.retryAfter);
      return false;
    }
    entries.delete(id);
    if (error) entry?.refuse(error);
    else entry?.fulfil(answer as never);
    return true;
  }

  return {
    settle,
    excess,

    /** Sends a message as soon as possible, or, if it may go out only once, now or never. */
    ask<Answer>(message: ClientMessage, once = false): Promise<Answer> {
      return new Promise((fulfil, refuse) => {
        if (message.type === "publish" && entries.size >= limit) {
          throw new RoomfulError("outbox_full", `More than ${limit}.`, { retryable: true });
        }
        const id = `${++lastId}`;
        const entry = { frame: JSON.stringify({ ...message, id }), once, sent: false, fulfil, refuse };
        entries.set(id, entry);
        if (once) {
          if (!submit(id, entry)) settle(id, notConnected());
          // While earlier ones wait, this one waits behind them.
        } else if (!timer) flush();
      });
    },

    /** The room can be reached again, and takes so much. */
    resume(found: Welcome["limits"]): void {
      limits = found;
      begun = 0;
      flush();
    },

    /** The connection was lost, and with it maybe messages and answers: what may not go out again is refused. */
    lost(): void {
      for (const id of entries.keys()) settle(id, notConnected());
    },

    /** Gives up on all of them. */
    fail(error: RoomfulError): void {
      rest();
      for (const { refuse } of entries.values()) refuse(error);
      entries.clear();
    },
  };
}

/** The error of what goes out now or never. */
export const notConnected = (): RoomfulError =>
  new RoomfulError("not_connected", "No connection.", { retryable: true });
