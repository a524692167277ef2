// Rooms, as a back end deals with them.
import type { EventName, EventsOf, HistoryOptions, RoomTypes } from "../types.ts";
import type { WireError } from "../wire.ts";
import { check } from "./argument.ts";
import type { BatchMessage, BatchResult, DisconnectOptions, MessageOptions, Published } from "./message.ts";
import type { RoomHistory, RoomPresence } from "./message.ts";
import { errorOf, request } from "./request.ts";
import type { RequestOptions, RoomfulOptions } from "./request.ts";

/**
 * The rooms of a Worker. Nothing is checked or sent before the first call, so it may stand at the top of a module.
 *
 * ```ts
 * const roomful = new Roomful<Types>({
 *   url: process.env.ROOMFUL_URL!,
 *   secret: process.env.ROOMFUL_SECRET!,
 * });
 * await roomful.publish("orders", "paid", { order: 7 });
 * ```
 *
 * All methods reject with a `RoomfulError`: what the server says, `timeout`, `connection_lost`, `bad_response`,
 * `invalid_room`, or `invalid_argument` for a `url`, `secret` or `user` that cannot be one. Two things come as they
 * are: the reason of a `signal` that aborted, and the `TypeError` of data that has no JSON.
 */
export class Roomful<T extends RoomTypes = RoomTypes> {
  readonly #options: RoomfulOptions;

  constructor(options: RoomfulOptions) {
    this.#options = options;
  }

  /**
   * Publishes a message; fulfilled when it is stored, or, if it is ephemeral, when the room took it. A stored one
   * that gets no answer is sent again and counts once; an ephemeral one is never sent again.
   */
  async publish<E extends EventName<T>>(
    room: string,
    event: E,
    data: EventsOf<T>[E],
    options: MessageOptions & RequestOptions = {},
  ): Promise<Published> {
    return request(
      this.#options,
      room,
      "/publish",
      withId({ ...options, event, data }),
      "POST",
      isEphemeral(options),
    );
  }

  /**
   * Publishes up to 100 messages to any rooms. The results stand in the order of the messages; a refused one does not
   * stop the others, and those of one room keep their order. Sent again without an answer only if all are stored.
   */
  async publishBatch(messages: readonly BatchMessage<T>[], options?: RequestOptions): Promise<BatchResult[]> {
    const answer = await request(
      this.#options,
      null,
      "/publish",
      { ...options, messages: messages.map(withId) },
      "POST",
      messages.some(isEphemeral),
    );
    check(answer.results?.map, "No results", "bad_response");
    return answer.results.map((result: Published & { error?: WireError }) =>
      result.error ? { error: errorOf(result.error) } : result,
    );
  }

  /** Who is in a room. */
  async presence(room: string, options?: RequestOptions): Promise<RoomPresence<T>> {
    return request(this.#options, room, "/presence", options);
  }

  /**
   * Stored messages, the oldest first: the newest of them, those before an offset, or with `after` the next ones.
   *
   * ```ts
   * let page = await roomful.history("lobby", { limit: 500 });
   * while (page.more) page = await roomful.history("lobby", { limit: 500, before: page.messages[0]!.offset! });
   * ```
   */
  async history(room: string, options: HistoryOptions & RequestOptions = {}): Promise<RoomHistory<T>> {
    return request(this.#options, room, "/history", { ...options });
  }

  /**
   * Closes the connections of a user, or one connection, and says how many were open. Those clients do not come back
   * by themselves; only `banSeconds` keeps the user out.
   */
  async disconnect(
    room: string,
    { banSeconds, ...options }: DisconnectOptions & RequestOptions,
  ): Promise<{ closed: number }> {
    return request(this.#options, room, "/disconnect", { ...options, ban_seconds: banSeconds }, "POST");
  }

  /**
   * Closes everyone, and erases all of a room but its bans. Never sent again without an answer: the next life of the
   * room begins in the same moment, and a second request would erase what was published in it.
   */
  async deleteRoom(room: string, options?: RequestOptions): Promise<void> {
    await request(this.#options, room, "", options, "DELETE", true);
  }
}

// An id makes a publish idempotent (H1); of an ephemeral message it means nothing.
const withId = <M extends MessageOptions>(message: M) => ({ ...message, id: message.id ?? crypto.randomUUID() });

const isEphemeral = ({ ephemeral, to }: MessageOptions) => ephemeral || to;
