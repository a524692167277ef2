// What an application deals with: rooms, members, messages. Times are milliseconds since the Unix epoch.
import type { RoomfulError } from "./error.ts";
import type { StandardSchema } from "./schema.ts";
import type { Occupancy, Right } from "./wire.ts";

/**
 * What an application says of its rooms: the presence state of a member, the events with their data, and the info
 * that its tokens carry. Each part may be left out, and is then not checked by the compiler.
 *
 * ```ts
 * type Types = {
 *   state: { cursor: [x: number, y: number] | null };
 *   events: { chat: { text: string } };
 *   info: { name: string };
 * };
 * const client = createClient<Types>({ url, authEndpoint: "/api/roomful" });
 * ```
 */
export interface RoomTypes {
  state?: unknown;
  events?: object;
  info?: unknown;
}

// What was left out of the types may be anything.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Anything = any;

/** The presence state in `T`. */
export type StateOf<T extends RoomTypes> = unknown extends T["state"] ? Anything : Exclude<T["state"], undefined>;
/** The info of users in `T`. */
export type InfoOf<T extends RoomTypes> = unknown extends T["info"] ? Anything : Exclude<T["info"], undefined>;
/** The events in `T`: name to data. */
export type EventsOf<T extends RoomTypes> = object extends T["events"]
  ? Record<string, Anything>
  : Exclude<T["events"], undefined>;
/** The names of the events in `T`. */
export type EventName<T extends RoomTypes> = keyof EventsOf<T> & string;

/** What changes some keys of a presence state; `null` or `undefined` takes a key away. */
export type Patch<S> = S extends object ? { [K in keyof S]?: S[K] | null | undefined } : never;

/**
 * How a room's connection is:
 *
 * - `initial`: it was not asked for yet, or the room was left
 * - `connecting`: for the first time; a failure is tried again
 * - `connected`
 * - `reconnecting`: it was connected, and is being restored
 * - `disconnected`: it was refused, and does not come back by itself; `room.error` tells why
 */
export type Status = "initial" | "connecting" | "connected" | "reconnecting" | "disconnected";

/** A connection that the others see. A user with two tabs is two members. */
export interface Member<T extends RoomTypes = RoomTypes> {
  /** Its id, never used again in this room. */
  readonly connection: string;
  /** Whose connection it is; the token said so. */
  readonly user: { readonly id: string; readonly info: InfoOf<T> };
  /** What it shows to the others. */
  readonly state: StateOf<T> | null;
  /** When it joined. */
  readonly at: number;
}

/** A person who is here, with one connection or more. */
export interface User<T extends RoomTypes = RoomTypes> {
  readonly id: string;
  readonly info: InfoOf<T>;
  /** Their connections, the oldest first. */
  readonly members: readonly Member<T>[];
}

/** A message as everybody gets it. */
export interface MessageOf<E, D> {
  readonly event: E;
  readonly data: D;
  /** The user who published it. */
  readonly user: string;
  /** The connection that published it; a server's messages have none. */
  readonly from?: string;
  /** Its place in the room's history; ephemeral messages have none. */
  readonly offset?: number;
  /** When the room took it; ephemeral messages do not tell. */
  readonly at?: number;
  /** Whether it was for some only. */
  readonly private?: true;
}

/** A message of one of the events in `T`. */
export type Message<T extends RoomTypes = RoomTypes, E extends EventName<T> = EventName<T>> = {
  [K in E]: MessageOf<K, EventsOf<T>[K]>;
}[E];

/** How a message is published. */
export interface PublishOptions {
  /** For what is stale a second later: it is not stored, and is sent now or not at all. */
  ephemeral?: boolean | undefined;
  /** Only to these: connection ids, or `user:` and a user id. Such a message is ephemeral. */
  to?: readonly string[] | undefined;
  /** `false` leaves out the own connection. */
  echo?: boolean | undefined;
}

/** The answer to a publish. */
export interface Ack {
  /** The place in the history; ephemeral messages have none. */
  readonly offset?: number;
}

/** Which messages to fetch. */
export interface HistoryOptions {
  /** Only messages before this offset. */
  before?: number | undefined;
  /** Only messages after this offset, the oldest first rather than the newest. */
  after?: number | undefined;
  /** How many at most; 100 unless given, and never more than 500. A page of large messages holds fewer. */
  limit?: number | undefined;
}

/** A part of a room's history. */
export interface HistoryPage<T extends RoomTypes = RoomTypes> {
  /** The oldest first. */
  readonly messages: readonly Message<T>[];
  /** Whether there is more in the direction that was asked for. */
  readonly more: boolean;
}

/** Messages that were published while the connection was lost, and that the room did not send again. */
export interface Gap {
  /** What is missing has offsets above this one … */
  readonly after: number;
  /** … and below this one. */
  readonly before: number;
  /** Whether the room began anew: then nothing of before is left, and offsets count from 1. */
  readonly reset: boolean;
}

/** What `room.watch` can tell of, and what it hands over. */
export interface Topics<T extends RoomTypes = RoomTypes> {
  /** The status changed, as `room.status`. Who comes to a room that others hold hears how the connection is. */
  status: Status;
  /** Somebody came, went or changed their state: all members, as `room.members`. */
  members: readonly Member<T>[];
  /** The own state changed, as `room.presence.state`. */
  state: StateOf<T> | null;
  /** Somebody else is here who was not known to be: after connecting, those who were there first as well. */
  join: Member<T>;
  /** Somebody else changed their state. */
  update: Member<T>;
  /** Somebody else left. */
  leave: Member<T>;
  /** How many there are, as `room.occupancy`. */
  occupancy: Occupancy;
  /** Messages were missed, and `room.history` may have them. */
  gap: Gap;
  /**
   * Something went wrong that no promise tells of, or that made the connection stop. If no holder of the room listens,
   * it is written to the console.
   */
  error: RoomfulError;
}

/** The own presence in a room. */
export interface Presence<T extends RoomTypes = RoomTypes> {
  /** What this connection shows, or will show as soon as it is connected. */
  readonly state: StateOf<T> | null;
  /**
   * Changes some keys of the state, and `null` takes one away. Sent at once, but at most once in the client's
   * `throttle`; of several changes between the last counts.
   */
  update(patch: Patch<StateOf<T>>): void;
  /** Replaces the state; `null` clears it. A state larger than the room takes, here as above, changes nothing. */
  set(state: StateOf<T> | null): void;
}

/** What a room is asked for with. */
export interface RoomOptions<T extends RoomTypes = RoomTypes> {
  /** The presence state to come with, unless the room has one already. */
  state?: StateOf<T> | null | undefined;
  /**
   * How many messages from before the handlers get first: at most 500, and fewer if they are large (a page has
   * 256 KiB). With it, messages missed in a gap are fetched too, so
   * that handlers get every message of the history, once and in order. 0, the default, begins with now.
   */
  history?: number | undefined;
  /** `false` waits for `connect()`. */
  enabled?: boolean | undefined;
}

/**
 * A room, as one holder of it sees it. All holders of a client share one connection for a room; it ends when the
 * last of them leaves.
 */
export interface Room<T extends RoomTypes = RoomTypes> {
  /** The room's name. */
  readonly id: string;
  /** How the connection is; `initial` for who is not in the room, also if others hold it. */
  readonly status: Status;
  /** Why the status is what it is, unless it is `connected` or nothing happened yet. */
  readonly error: RoomfulError | undefined;
  /** The own connection, once it is known; it stays while the connection is being restored. */
  readonly self: Member<T> | null;
  /**
   * Everybody who is here, the own connection included, the oldest first. A new array whenever something changed,
   * with the same objects for those who did not. Empty in a room with too many to list.
   */
  readonly members: readonly Member<T>[];
  /** The members grouped by user. */
  readonly users: readonly User<T>[];
  /** How many there are, those who are not listed included. */
  readonly occupancy: Occupancy;
  /** What the token allows, once it is known. */
  readonly can: readonly Right[];
  readonly presence: Presence<T>;

  /**
   * Publishes a message to everybody in the room. The promise is fulfilled when the message is stored: then it
   * survives whatever happens. Without a connection it waits and is sent later; sent twice it counts once.
   *
   * An ephemeral message is fulfilled when it is handed to the network, or, with `to`, when the room took it; it
   * does not wait for a connection. A promise that nobody looks at does no harm; what the server refuses is told by
   * `watch("error")` as well.
   *
   * @throws {RoomfulError} as rejection: `outbox_full`, `message_too_large`, `not_connected`, `invalid_data`, `left`, or
   *   what the server says
   */
  publish<E extends EventName<T>>(event: E, data: EventsOf<T>[E], options?: PublishOptions): Promise<Ack>;
  /** Calls the handler with the data of each message of this event. Returns what ends that. */
  on<E extends EventName<T>>(event: E, handler: (data: EventsOf<T>[E], message: Message<T, E>) => void): () => void;
  /** Calls the handler with each message. Returns what ends that. */
  onAny(handler: (message: Message<T>) => void): () => void;
  /** Calls the listener when something of the room itself changes. Returns what ends that. */
  watch<K extends keyof Topics<T>>(topic: K, listener: (value: Topics<T>[K]) => void): () => void;
  /**
   * Fetches stored messages; waits for the connection if there is none. Those that do not fit their schema are left
   * out; if none of a page fits, it is the next page with some that do.
   */
  history(options?: HistoryOptions): Promise<HistoryPage<T>>;
  /** Connects if `enabled` was `false`, comes back after `leave()`, or tries at once if the connection is lost. */
  connect(): void;
  /** Ends all that this holder asked for. The connection ends with its last holder, and the others see it leave. */
  leave(): void;
}

/** Where a token comes from: it is asked for before every attempt to connect, and before the last one ends. */
export type TokenSource = string | ((context: { room: string }) => string | Promise<string>);

/** How to reach the rooms. */
export interface ClientOptions<T extends RoomTypes = RoomTypes> {
  /** The Worker's address, such as `https://realtime.example.com`. */
  url: string | URL;
  /** A token, or what fetches one. To stop the client, throw a `RoomfulError` that is not retryable. */
  token?: TokenSource | undefined;
  /** A route of your own that answers `POST {"room"}` with `{"token"}`, as `createAuthHandler` of `roomful/server`. */
  authEndpoint?: string | URL | undefined;
  /** Who to be on a development server that takes no tokens. */
  user?: string | undefined;
  /** The `WebSocket` to use where there is no global one, such as that of the package `ws`. */
  WebSocket?: WebSocketConstructor | undefined;
  /** How many publishes of a room may wait for their ack. Default: 200. */
  outbox?: number | undefined;
  /** The least time between two updates of a presence state, in milliseconds. Default: 50. */
  throttle?: number | undefined;
  /** What data and states must look like; what does not is neither sent nor handed on. */
  schemas?: Schemas<T> | undefined;
}

/** Checks for the events and the state, by any library that knows Standard Schema (Zod, Valibot, ArkType …). */
export interface Schemas<T extends RoomTypes = RoomTypes> {
  events?: { readonly [E in EventName<T>]?: StandardSchema<EventsOf<T>[E]> } | undefined;
  state?: StandardSchema<StateOf<T>> | undefined;
}

/** What this package needs of a WebSocket. Handlers may be typed in any way: no two libraries agree on their events. */
export interface WebSocketLike {
  /** How many bytes are still on their way; React Native does not know. */
  readonly bufferedAmount?: number | undefined;
  onmessage: Anything;
  onclose: Anything;
  onerror: Anything;
  send(text: string): void;
  close(code?: number): void;
}

/** A class of WebSockets: the browser's, that of `ws`, … */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
