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
  /** Fetches older messages; does nothing while it is at it, or if there are none. */
  readonly loadMore: () => void;
  /** Why messages are missing. */
  readonly error: RoomfulError | undefined;
}

/** A list that follows the room while somebody has subscribed to it. */
export function createLog(room: Room, events: string | readonly string[] | undefined, limit: number) {
  const names = events && [events].flat();
  /** By offset: an object is in the order of such keys. */
  const known: Record<number, Message> = {};
  let state: MessageLog = { messages: [], loading: true, more: false, loadMore, error: undefined };
  let notify: () => void;
  /** The first offset that was fetched, be it of a message that is wanted or not. */
  let first = Infinity;
  /** Up to which offset nothing is missing; `Infinity` while the list follows the room. */
  let whole = 0;
  /** Counts what was asked for: answers to anything but the last come too late. */
  let turn = 0;

  function set(change: Partial<MessageLog>): void {
    state = { ...state, ...change };
    // While messages are missing, those behind them are not shown, unless it is known that they will not come.
    if (whole === Infinity || state.error) state = { ...state, messages: Object.values(known) };
    notify();
  }

  /** Takes each message once. Returns how many were wanted. */
  function add(messages: readonly Message[]): number {
    // Only stored messages are part of a history.
    const wanted = messages.filter(({ offset, event }) => offset && (!names || names.includes(event)));
    for (const message of wanted) known[message.offset!] = message;
    return wanted.length;
  }

  /** Fetches the page before an offset, and the ones before that until there is something to show. */
  async function fetch(before: number): Promise<void> {
    const own = ++turn;
    set({ loading: true, error: undefined });
    try {
      // As JSON, Infinity is null: from the end.
      const { messages, more } = await room.history({ before, limit });
      if (own !== turn) return;
      const begin = messages[0]?.offset ?? 0;
      if (begin > whole + 1) {
        // The page does not reach back to what is shown, and takes its place.
        for (const offset in known) if (Number(offset) < begin) delete known[offset];
        first = Infinity;
      }
      whole = Infinity;
      const found = add(messages);
      if (begin < first) {
        first = begin;
        set({ more: more && begin > 0 });
        if (state.more && !found) return fetch(begin);
      }
      set({ loading: false });
    } catch (error) {
      if (own === turn) set({ loading: false, error: error as RoomfulError });
    }
  }

  function loadMore(): void {
    if (state.more && !state.loading) void fetch(first);
  }

  function turned(status: Status): void {
    if (status === "disconnected") set({ loading: false, error: room.error });
    else if (status === "connected") {
      if (whole < Infinity) void fetch(Infinity);
      else if (state.error) set({ error: undefined });
    }
  }

  return {
    get: () => state,
    subscribe(listener: () => void): () => void {
      notify = listener;
      const end = together([
        room.onAny((message) => {
          if (add([message])) set({});
        }),
        // What follows a gap is that there is a connection.
        room.watch("gap", ({ after, reset }) => {
          whole = Math.min(whole, after);
          if (reset) for (const offset in known) delete known[offset];
        }),
        room.watch("status", turned),
      ]);
      turned(room.status);
      return () => {
        turn++;
        whole = 0;
        end();
      };
    },
  };
}
