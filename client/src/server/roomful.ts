// Rooms, as a back end deals with them.
import { RoomfulError } from "../error.ts";
import type { EventName, EventsOf, HistoryOptions, RoomTypes } from "../types.ts";
import type { WireError } from "../wire.ts";
import { check, isRoom } from "./argument.ts";
import type { BatchMessage, BatchResult, DisconnectOptions, MessageOptions, Published } from "./message.ts";
import type { RoomHistory, RoomPresence, RoomSummary } from "./message.ts";
import { errorOf, request } from "./request.ts";
import type { Call, RequestOptions, RequestSettings } from "./request.ts";
import { createToken } from "./token.ts";
import type { TokenOptions } from "./token.ts";

/** A token, or what gives one for each request. */
type TokenSource = string | (() => string | Promise<string>);

interface Signing extends Pick<TokenOptions, "secret" | "issuer" | "audience"> {
  /** Who publishes, as the others see it. Default: `server`. */
  user?: string | undefined;
  token?: undefined;
}

interface Signed {
  /** A token of your own, or what gives one for each request. */
  token: TokenSource;
  secret?: undefined;
}

/** How to reach the rooms, and as whom: with the `secret`, which may do everything, or with a `token` of your own. */
export type RoomfulOptions = RequestSettings & {
  /** The Worker's address, such as `https://realtime.example.com`. */
  url: string | URL;
} & (Signing | Signed);

/** For how long an own token holds, and from when on it is used no more: in seconds. */
const TOKEN_ENDS = 300;
const TOKEN_IS_OLD = 240;

/**
 * The rooms of a Worker. Nothing is checked or sent before the first call, so it may stand at the top of a module.
 *
 * ```ts
 * const roomful = new Roomful<Types>({
 *   url: process.env.ROOMFUL_URL!,
 *   secret: process.env.ROOMFUL_SECRETS!,
 * });
 * await roomful.publish("orders", "paid", { order: 7 });
 * ```
 *
 * All methods reject with a `RoomfulError`: what the server says, `timeout`, `connection_lost`, `bad_response`,
 * `invalid_room` or `invalid_argument`. Three things come as they are: the reason of a `signal` that aborted, what a
 * `token` function threw, and the `TypeError` of data that has no JSON.
 */
export class Roomful<T extends RoomTypes = RoomTypes> {
  readonly #options: RoomfulOptions;
  #token = "";
  #renewAt = 0;

  constructor(options: RoomfulOptions) {
    this.#options = options;
  }

  /**
   * Publishes a message; fulfilled when it is stored, or, if it is ephemeral, when the room took it. A stored one
   * that gets no answer is sent again and counts once; an ephemeral one is never sent again.
   */
  publish<E extends EventName<T>>(
    room: string,
    event: E,
    data: EventsOf<T>[E],
    { signal, ...options }: MessageOptions & RequestOptions = {},
  ): Promise<Published> {
    const message = withId({ ...options, event, data });
    return this.#call("POST", room, "/publish", { signal }, message, isStored(options));
  }

  /**
   * Publishes up to 100 messages to any rooms. The results stand in the order of the messages; a refused one does not
   * stop the others, and those of one room keep their order. Sent again without an answer only if all are stored.
   */
  async publishBatch(messages: readonly BatchMessage<T>[], options?: RequestOptions): Promise<BatchResult[]> {
    const body = { messages: messages.map(withId) };
    const { results } = await this.#call("POST", null, "/publish", options, body, messages.every(isStored));
    return results.map((result: Published & { error?: WireError }) =>
      result.error ? { error: errorOf(result.error) } : result,
    );
  }

  /** Who is in a room. */
  presence(room: string, options?: RequestOptions): Promise<RoomPresence<T>> {
    return this.#call("GET", room, "/presence", options);
  }

  /**
   * Stored messages, the oldest first: the newest of them, those before an offset, or with `after` the next ones.
   *
   * ```ts
   * let page = await roomful.history("lobby", { limit: 500 });
   * while (page.more) page = await roomful.history("lobby", { limit: 500, before: page.messages[0]!.offset! });
   * ```
   */
  history(room: string, options: HistoryOptions & RequestOptions = {}): Promise<RoomHistory<T>> {
    const { before, after, limit } = options;
    // Through JSON, which leaves out what is undefined.
    const query = new URLSearchParams(JSON.parse(JSON.stringify({ before, after, limit })));
    return this.#call("GET", room, `/history?${query}`, options);
  }

  /** What a room is: its epoch, offset, occupancy and history. Asking for one does not make it. */
  async summary(room: string, options?: RequestOptions): Promise<RoomSummary> {
    const { history, created_at, awake_since, ...rest } = await this.#call("GET", room, "", options);
    const { first_offset, ...kept } = history;
    return { ...rest, history: { ...kept, firstOffset: first_offset }, createdAt: created_at, awakeSince: awake_since };
  }

  /**
   * Closes the connections of a user, or one connection, and says how many were open. Those clients do not come back
   * by themselves; only `banSeconds` keeps the user out.
   */
  disconnect(room: string, options: DisconnectOptions & RequestOptions): Promise<{ closed: number }> {
    const { user, connection, reason, banSeconds } = options;
    return this.#call("POST", room, "/disconnect", options, { user, connection, reason, ban_seconds: banSeconds });
  }

  /**
   * Closes everyone, and erases all of a room but its bans. Never sent again without an answer: the next life of the
   * room begins in the same moment, and a second request would erase what was published in it.
   */
  async deleteRoom(room: string, options?: RequestOptions): Promise<void> {
    await this.#call("DELETE", room, "", options, undefined, false);
  }

  async #call(
    method: string,
    room: string | null,
    path: string,
    { signal }: RequestOptions = {},
    content?: object,
    idempotent = true,
  ) {
    const base = `${this.#options.url}`.replace(/^ws/, "http").replace(/\/*$/, room === null ? "" : `/room/${room}`);
    check(/^http/.test(base), "url", "the https address of the Worker");
    if (room !== null && !isRoom(room)) throw new RoomfulError("invalid_room", "This is no name of a room.");
    return request(
      {
        url: base + path,
        method,
        headers: { authorization: `Bearer ${await this.#bearer()}`, "content-type": "application/json" },
        body: content ? JSON.stringify(content) : null,
        // A token must not travel on; "error" is unknown to Workers.
        redirect: "manual",
        // Next.js may keep answers unless told not to; `cache` is unknown to some Workers.
        next: { revalidate: 0 },
        idempotent,
        signal,
      } as Call,
      this.#options,
    );
  }

  async #bearer(): Promise<string> {
    if (this.#options.token) {
      const { token } = this.#options;
      return typeof token === "function" ? token() : token;
    }
    const { user = "server", ...signing } = this.#options as Signing;
    const now = Date.now();
    if (now >= this.#renewAt) {
      this.#token = await createToken({ ...signing, user, room: "*", can: ["admin"], expiresIn: TOKEN_ENDS, now });
      this.#renewAt = now + TOKEN_IS_OLD * 1_000;
    }
    return this.#token;
  }
}

// An id makes a publish idempotent (H1); of an ephemeral message it means nothing.
const withId = <M extends MessageOptions>(message: M) => ({ ...message, id: message.id ?? crypto.randomUUID() });

const isStored = ({ ephemeral, to }: MessageOptions) => !ephemeral && !to;
