// The messages of a room as a list: history and what comes, in one.
import type { RoomfulError } from "../error.ts";
import type { EventName, Message, Room, RoomTypes, Status } from "../types.ts";
import { together } from "./provider.ts";

/** What `useMessages` gives. */
export interface MessageLog<T extends RoomTypes = RoomTypes, E extends EventName<T> = EventName<T>> {
  /** The oldest first, without gaps. */
  readonly messages: readonly Message<T, E>[];
  /** Whether older messages, or the first ones, are on their way. */
  readonly loading: boolean;
  /** Whether there are older messages. */
  readonly more: boolean;
  /** Fetches older messages, or again what failed; does nothing while it is at it, or if there are none. */
  readonly loadMore: () => void;
  /** Why messages are missing. */
  readonly error: RoomfulError | undefined;
}

/** A list that follows the room while somebody has subscribed to it. */
export function createLog(room: Room, events: string | readonly string[] | undefined, limit: number, max: number) {
  let state = { messages: [], loading: true, more: false, loadMore } as Omit<MessageLog, "error"> as MessageLog;
  let notify: () => void;
  /** Those that are wanted, by offset: an object is in the order of such keys. */
  let known: Record<number, Message> = {};
  /** Whether nothing is missing among them. */
  let whole: true | undefined;

  /** Shows what changed, if it is not just that a message came. */
  function set(change?: Partial<MessageLog>): void {
    const messages = Object.values(known);
    // In a list that is full the oldest goes for one that comes, unless those before it are on their way.
    if (!change && !state.loading && messages[max]) {
      change = { more: true };
      delete known[messages.shift()!.offset!];
    }
    state = { ...state, ...change };
    // While messages are missing, those behind them are not shown, unless it is known that they will not come.
    if (whole || (state.error && messages[0])) state = { ...state, messages };
    notify();
  }

  /** Takes each message once. Returns how many were wanted. */
  function add(messages: readonly Message[]): number {
    // Only stored messages are part of a history.
    return messages.filter(
      (message) =>
        message.offset &&
        [events ?? message.event].flat().includes(message.event) &&
        (known[message.offset] = message),
    ).length;
  }

  /** Begins anew with the next connection. What is shown stays until there is something else. */
  function renew(): void {
    known = {};
    whole = undefined;
  }

  /** Fetches the page before an offset, or before the end, and the ones before that until there is something to show. */
  async function fetch(before?: number): Promise<void> {
    const own = known;
    set({ loading: true, error: undefined });
    try {
      const { more, messages } = await room.history({ before, limit });
      if (own !== known) return;
      whole = true;
      if (!add(messages) && more) return fetch(messages[0]!.offset);
      set({ loading: false, more, error: undefined });
    } catch (error) {
      if (own === known) set({ loading: false, error: error as RoomfulError });
    }
  }

  function loadMore(): void {
    if ((state.more || state.error) && !state.loading) void fetch(Object.values(known)[0]?.offset);
  }

  function turned(status: Status): void {
    if (status === "disconnected") set({ loading: false, error: room.error });
    // Left, maybe not for good: nobody tells what is missed until then, and a page that is asked for now would hide it.
    if (status === "initial") {
      renew();
      set({ loading: false, more: false, error: undefined });
    }
    if (status !== "connected") return;
    if (!whole) void fetch();
    else set({ error: undefined });
  }

  return [
    (listener: () => void): (() => void) => {
      notify = listener;
      // Whoever subscribes again may have missed something.
      renew();
      turned(room.status);
      return together([
        room.onAny((message) => {
          if (add([message])) set();
        }),
        // What could be filled, the room has filled by itself. That there is a connection again is told next.
        room.watch("gap", renew),
        room.watch("status", turned),
      ]);
    },
    () => state,
  ] as const;
}
