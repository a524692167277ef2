// What is said to rooms over HTTP, and what they answer (section 7 of docs/protocol.md). Times are milliseconds since
// the Unix epoch.
import type { RoomfulError } from "../error.ts";
import type { EventName, EventsOf, HistoryPage, Member, RoomTypes } from "../types.ts";
import type { Occupancy } from "../wire.ts";

/** How a message is published. */
export interface MessageOptions {
  /**
   * 1 to 64 characters. A stored message whose id this user published before, and which is still in the history,
   * counts as that one. Default: a random one, so that a request that is made again counts once.
   */
  id?: string | undefined;
  /** For what is stale a second later: it is not stored. */
  ephemeral?: boolean | undefined;
  /** Only to these: connection ids, or `user:` and a user id; at most 100. Such a message is ephemeral. */
  to?: readonly string[] | undefined;
  /** Not to these connections; at most 100. */
  except?: readonly string[] | undefined;
}

/** A message of a batch. */
export type BatchMessage<T extends RoomTypes = RoomTypes, E extends EventName<T> = EventName<T>> = {
  [K in E]: { room: string; event: K; data: EventsOf<T>[K] } & MessageOptions;
}[E];

/** What has become of a message. */
export interface Published {
  /** Its place in the room's history; ephemeral messages have none. */
  readonly offset?: number;
  /** The life of the room that the offset belongs to. */
  readonly epoch: string;
}

/** What has become of a message of a batch: `error` is there if it was refused. */
export type BatchResult = (Published & { readonly error?: undefined }) | { readonly error: RoomfulError };

/** Whom to disconnect, and for how long. */
export type DisconnectOptions = (
  | { /** All connections of this user. */ user: string; connection?: undefined }
  | { /** This connection. */ connection: string; user?: undefined }
) & {
  /** For how many seconds the user stays out; 0 lifts a ban. */
  banSeconds?: number | undefined;
  /** The reason that the closed clients are told, cut to 123 bytes. */
  reason?: string | undefined;
};

/** Who is in a room. */
export interface RoomPresence<T extends RoomTypes = RoomTypes> {
  /** The oldest first. Absent in a room with too many to list. */
  readonly members?: readonly Member<T>[];
  readonly occupancy: Occupancy;
}

/** A part of a room's history. */
export interface RoomHistory<T extends RoomTypes = RoomTypes> extends HistoryPage<T> {
  /** The life of the room that the offsets belong to. */
  readonly epoch: string;
}
