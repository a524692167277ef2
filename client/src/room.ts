// A room: the one connection to it, what is known through that, and all who hold it.
import { createConnection } from "./connection.ts";
import type { Place } from "./connection.ts";
import { createEmitter } from "./emitter.ts";
import { RoomfulError } from "./error.ts";
import { createMembers, ownAmong } from "./members.ts";
import { createOutbox, notConnected } from "./outbox.ts";
import { fromWire } from "./refusal.ts";
import { misfit, quietly } from "./schema.ts";
import { STATE_ID, createOwnState, same } from "./state.ts";
import { tokenSource } from "./token.ts";
import type { Ack, ClientOptions, Gap, HistoryOptions, HistoryPage, Message, PublishOptions, Room, RoomOptions, Status } from "./types.ts";
import type { HistoryReply, Published, Right, ServerMessage, Welcome, WireMember } from "./wire.ts";

/** With more bytes than this on their way, what is stale in a second is not sent. */
const LAGGING = 65_536;

/** Who holds a room. */
interface Holder {
  /** The connection entered the room; messages after `offset` follow. */
  entered(offset: number, gap?: Gap): void;
  received(message: Message): void;
  /** Returns how many of it listen to that. */
  tell(topic: string, value: unknown): number;
  /** Keeps the room findable for its client as long as somebody may use it. */
  readonly hold: unknown;
}

/** A room that nobody holds yet. Gives what holds it. */
export function createRoom(id: string, options: ClientOptions): (options: RoomOptions) => Room {
  const { url, token, outbox: limit = 200, throttle = 50, schemas = {} } = options;
  const holders = new Set<Holder>();
  // A copy: whoever comes to hold the room while it is told of something comes too late for that.
  const each = (call: (holder: Holder) => unknown) => [...holders].filter(call);
  let can: readonly Right[] = [];

  const tell = (topic: string, value: unknown) => each((holder) => holder.tell(topic, value));
  /** Tells of an error, if there is one. */
  const report = (error?: RoomfulError) => {
    // Who forgot ALLOWED_ORIGINS, say, would otherwise see a page on which nothing happens.
    if (error && !tell("error", error)[0]) console.warn(error, error.hint ?? id);
    return error;
  };

  const fetchToken = tokenSource(options, id);
  const connection = createConnection(
    {
      ...options,
      url: `${url}`.replace(/^http/, "ws").replace(/\/*$/, "/room/") + encodeURIComponent(id),
      fetchToken,
      renewable: !!fetchToken && typeof token !== "string",
    },
    turned,
    welcomed,
    received,
    () => members.settle(),
    report,
  );
  const outbox = createOutbox(connection.send, limit);
  const state = createOwnState(
    (message) => {
      if (can.includes("presence")) connection.send(JSON.stringify(message));
    },
    () => {
      if (members.own) members.become({ ...members.own, state: state.state });
      members.settle();
      tell("state", state.state);
    },
    throttle,
    (next) => valid(next) && !report(outbox.excess("state", JSON.stringify(next))),
  );
  const members = createMembers(tell, valid);

  // What happens on the connection.

  function turned(status: Status): void {
    if (status === "disconnected") end(connection.error!);
    if (status !== "connected") outbox.lost();
    tell("status", status);
  }

  function welcomed(welcome: Welcome, before?: Place): void {
    const { epoch, offset, recovered } = welcome;
    const listed = welcome.members ?? [];
    const old = members.own;
    const own = ownAmong(listed, welcome.connection);
    const reset = epoch !== before?.epoch;
    can = welcome.can;
    members.become({ at: Date.now(), ...own, connection: welcome.connection, user: welcome.user, state: state.state });
    members.relist(listed, !reset);
    members.count(welcome.occupancy);
    compare(own);

    if (old && old.user.id !== welcome.user.id) {
      outbox.fail(new RoomfulError("user_changed", "Another user."));
    }
    outbox.resume(welcome.limits);

    // Somebody who was told of a member left, and may even be on the way back.
    if (!members.own) return;
    const missed = before && !recovered && (reset || offset > before.offset);
    const gap = missed ? { after: reset ? 0 : before.offset, before: offset + 1, reset } : undefined;
    // What is replayed follows too.
    each((holder) => holder.entered(connection.place!.offset, gap));
    if (gap) tell("gap", gap);
  }

  function received(message: ServerMessage): void {
    switch (message.type) {
      case "message":
        for (const found of checked([message])) each((holder) => holder.received(found));
        break;
      case "ack":
      case "history":
        outbox.settle(message.id!, undefined, message);
        break;
      case "join":
        members.arrive(message.member);
        break;
      case "leave":
        members.depart(message.connection);
        break;
      case "states":
        members.change(message);
        break;
      case "members":
        members.relist(message.members);
        compare(ownAmong(message.members, members.own?.connection));
        break;
      case "occupancy":
        // The room has too many members to list them (P4).
        members.relist([]);
        members.count(message);
        break;
      case "auth":
        can = message.can;
        // Whoever may not see the others is told nothing of them any more (T5).
        if (!can.includes("presence")) members.relist([]);
        break;
      case "error": {
        const error = fromWire(message);
        // The room has another one than the changes to come are meant for.
        if (error.code === "state_too_large") state.whole();
        if (message.id === STATE_ID && error.retryable) state.sendAll(error.retryAfter);
        else if (outbox.settle(message.id!, error)) report(error);
      }
    }
  }

  /** Nothing more is to be expected. */
  function end(error: RoomfulError): void {
    outbox.fail(error);
    state.rest();
    members.forget();
  }

  /** Sends the own state if the room believes it to be something else (R5). */
  function compare(own: WireMember | undefined): void {
    state.rest();
    if (own && !same(own.state, state.state)) state.sendAll(0);
  }

  /** Throws if nothing can be asked of the room, not even later. */
  function demand(): void {
    const { status, error } = connection;
    if (status === "initial" || status === "disconnected") throw error ?? notConnected();
  }

  async function publish(event: string, data: unknown, options: PublishOptions = {}): Promise<Ack> {
    const error = misfit(schemas.events?.[event], data, event);
    if (error) throw error;
    demand();
    const message = { ...options, type: "publish" as const, event, data };
    if (!options.ephemeral || options.to) return outbox.ask(message, !!options.to);
    // Without an id there is no ack, which in a crowd of cursors would be half of the traffic.
    const frame = JSON.stringify(message);
    const excess = outbox.excess("message", frame);
    if (excess || !connection.send(frame, LAGGING)) throw excess ?? notConnected();
    return {};
  }

  async function history(range?: HistoryOptions): Promise<HistoryReply> {
    demand();
    return outbox.ask({ ...range, type: "history" });
  }

  /** A part of the history in which something fits, if there is any: a page of nothing would look like the end. */
  async function page(range: HistoryOptions = {}): Promise<HistoryPage> {
    const { messages, more } = await history(range);
    const found = checked(messages);
    if (found[0] || !more) return { messages: found, more };
    if (range.after === undefined) return page({ ...range, before: messages[0]!.offset });
    return page({ ...range, after: messages.at(-1)!.offset });
  }

  /** Those messages whose data is what the application expects. */
  function checked(messages: readonly Published[]): Message[] {
    return messages.filter(({ event, data }) => !report(misfit(schemas.events?.[event], data, event))) as Message[];
  }

  function valid(state: unknown): boolean {
    return state === null || !report(misfit(schemas.state, state, "state"));
  }

  const hold = (options: RoomOptions): Room => {
    // Who leaves inside a handler hears of nothing but that, and nobody of what a listener before has made untrue.
    const emitter = createEmitter(
      (topic, value) =>
        value !==
        (topic === "status" ? room.status : !holders.has(holder) ? holder : topic === "state" ? state.state : value),
    );
    /** One stay in the room, from when the past was asked for until it is left. */
    let stay: object | undefined;
    /** Messages that wait until older ones have come. */
    let waiting: Message[] | undefined;
    let replays = Promise.resolve();

    const holder: Holder = {
      entered(offset, gap) {
        const { history: limit } = options;
        const before = offset + 1;
        const again = stay;
        stay ??= {};
        if (limit && (gap || !again)) replay(again && !gap!.reset ? { before, after: gap!.after } : { before, limit });
      },
      received(message) {
        if (waiting) waiting.push(message);
        else deliver(message);
      },
      tell: emitter.emit,
      hold,
    };

    function deliver(message: Message): void {
      emitter.emit(`event ${message.event}`, message.data, message);
      emitter.emit("message", message);
    }

    /** Hands on older messages, with `after` page by page, and then what comes meanwhile. */
    function replay(range: HistoryOptions): void {
      const { epoch } = connection.place!;
      const own = stay;
      // What waited so far is older than what is asked for, and goes before it.
      const held: Message[] = (waiting = []);
      replays = replays.then(async () => {
        try {
          for (;;) {
            const page = await history(range);
            // The room was left, or began anew and what was asked for is gone.
            if (page.epoch !== epoch || stay !== own) break;
            checked(page.messages).forEach(deliver);
            if (range.after === undefined || !page.more) break;
            range.after = page.messages.at(-1)!.offset;
          }
        } catch {
          // The error was told like every other.
        }
        if (stay !== own) return;
        if (waiting === held) waiting = undefined;
        // Who came back upon a message has it from the past already.
        held.filter(({ offset }) => !(offset! < range.before!)).forEach(deliver);
      });
    }

    const room: Room = {
      id,
      get status() {
        return holders.has(holder) ? connection.status : "initial";
      },
      get error() {
        return connection.error;
      },
      get self() {
        return members.own;
      },
      get members() {
        return members.list;
      },
      get users() {
        return members.people;
      },
      get occupancy() {
        return members.counted;
      },
      get can() {
        return can;
      },
      presence: state,
      publish: (event, data, options) => quietly(publish(event, data, options)),
      on: (event, handler) => emitter.on(`event ${event}`, handler),
      onAny: (handler) => emitter.on("message", handler),
      watch: emitter.on,
      history: (options) => quietly(page(options)),

      connect() {
        const { status } = connection;
        const known = holders.has(holder);
        holders.add(holder);
        if (!known && state.state === null && options.state !== undefined) state.set(options.state);
        if (status !== "connected") connection.open();
        if (known) return;
        if (status === "connected") holder.entered(connection.place!.offset);
        // If it changed just now, that was told, and this is no longer true.
        emitter.emit("status", status);
      },

      leave() {
        if (!holders.delete(holder)) return;
        stay = waiting = undefined;
        if (!holders.size) {
          connection.close();
          end(new RoomfulError("left", "Left."));
          state.forget();
        }
        // The last that it hears, but not of each member as if they had left. It may come back upon it.
        emitter.emit("status", "initial");
      },
    };
    if (options.enabled !== false) room.connect();
    return room;
  };
  return hold;
}
