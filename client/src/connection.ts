// A room's connection: one WebSocket after the other, which all continue the same session.
//
//   initial ──open──▶ connecting ──welcome──▶ connected ──lost──▶ reconnecting ──welcome──▶ connected
//                        │  ▲                                        │  ▲
//                        └──┘ lost, or no token                      └──┘ lost, or no token
//
// From each of them `close` leads to `initial`, and a refusal for good to `disconnected`; `open` leads on from both.
import { pauseBefore } from "./backoff.ts";
import { RoomfulError } from "./error.ts";
import { listen } from "./page.ts";
import type { PageEvent } from "./page.ts";
import { closeError } from "./refusal.ts";
import type { FetchToken } from "./token.ts";
import type { Status, WebSocketConstructor, WebSocketLike } from "./types.ts";
import type { ServerMessage, Welcome, WireError } from "./wire.ts";

/** For a token, a welcome and a pong (C3) each, in milliseconds. */
const DEADLINE = 10_000;
/** For a pong when there is reason to believe that the network went away. */
const DOUBTFUL_DEADLINE = 3_000;
/** A connection that lived this long was a success: the pauses begin anew. */
const LIVED = 10_000;
/** Closes a socket whose place in the room is to be kept: 1000 would give it up at once (R4). */
const KEEP_PLACE = 3000;
/** Timers take no more than 2^31 - 1. */
const LONGEST_TIMEOUT = 2e9;

/** What comes back to the place in the room that was left (R1). */
export interface Place {
  readonly epoch: string;
  readonly session: string;
  /** The last stored message that was seen. */
  offset: number;
}

/** What a connection is made of. */
export interface ConnectionOptions {
  /** The address of the room, without query. */
  readonly url: string;
  /** The user on a server without tokens. */
  readonly user?: string | undefined;
  readonly fetchToken: FetchToken | undefined;
  /** Whether another token may be had than the one that was refused. */
  readonly renewable: boolean;
  readonly WebSocket?: WebSocketConstructor | undefined;
}

/** What is done with what happens on a connection. */
export type Handlers = [
  /** The status changed. */
  turned: (status: Status) => void,
  /** There is a new socket in the room. `before` is the place to which it came back, if there was one. */
  welcomed: (welcome: Welcome, before?: Place) => void,
  /** Each other message, stored ones in order and once. */
  received: (message: ServerMessage) => void,
  /** All messages of a frame were received. */
  settled: () => void,
  /** Something went wrong that the application should know of. */
  failed: (error: RoomfulError) => void,
];

/** Holds the connection to a room, and brings it back whenever it is lost. */
export interface Connection {
  readonly status: Status;
  /** Why there is no connection. */
  readonly error: RoomfulError | undefined;
  /** What to come back to. */
  readonly place: Place | undefined;
  /** Connects, or tries again at once. */
  open(): void;
  /** Leaves the room, and forgets the place in it. */
  close(): void;
  /** Sends a frame and tells whether that was possible, with less than `behind` bytes still on their way. */
  send(text: string, behind?: number): boolean;
}

type Timer = ReturnType<typeof setTimeout> | undefined;

export function createConnection(
  options: ConnectionOptions,
  ...[turned, welcomed, received, settled, failed]: Handlers
): Connection {
  const { url, user, fetchToken, renewable, WebSocket = globalThis.WebSocket } = options;
  let status: Status = "initial";
  let error: RoomfulError | undefined;
  let place: Place | undefined;
  let socket: WebSocketLike | undefined;
  /** Counts sockets, and attempts at one: what belongs to an earlier one comes too late. */
  let turn = 0;
  /** Whether a socket, or a token for one, is there or on its way. */
  let busy = false;
  /** Since when the room has let us in; 0 while it has not. */
  let since = 0;
  let attempts = 0;
  /** Fresh tokens that were refused in a row. */
  let refusals = 0;
  /** Whether the server wants us to come back slowly. */
  let slow = false;
  /** When the token ends. */
  let expires = 0;
  /** The last message if it is an error about none of ours: it tells why the server closes. */
  let cause: WireError | undefined;
  let retry: Timer;
  let deadline: Timer;
  let pinging: Timer;
  let renewal: Timer;

  async function attempt(): Promise<void> {
    drop(KEEP_PLACE);
    const own = turn;
    busy = true;
    // First: whoever hears of the status may leave.
    expect(DEADLINE);
    become(error);
    try {
      const protocols = ["roomful.v1"];
      if (fetchToken) protocols.push(`roomful.token.${await fetchToken()}`);
      if (own !== turn) return;
      let query = user ? `?user=${encodeURIComponent(user)}&` : "?";
      if (place) {
        query += `epoch=${place.epoch}&offset=${place.offset}`;
        protocols.push(`roomful.session.${place.session}`);
      }
      // What the token took is not taken from what the room may take.
      expect(DEADLINE);
      socket = new WebSocket(url + query, protocols);
      socket.onmessage = ({ data }: { data: string }) => take(data);
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => lost(code, reason);
      // Not everywhere does a close follow: after a failed upgrade, Node 22 tells of nothing else.
      socket.onerror = () => since || lost();
    } catch (thrown) {
      if (own !== turn) return;
      const failure =
        thrown instanceof RoomfulError
          ? thrown
          : new RoomfulError("no_websocket", `${thrown}`, { hint: "Check url and WebSocket." });
      if (!failure.retryable) return stop(failure);
      lost(1006, "", failure);
      failed(failure);
    }
  }

  function take(frame: string): void {
    const own = turn;
    // Whatever comes is a sign of life; only a welcome is one of success.
    if (since) alive();
    if (frame === "pong") return;
    let messages: ServerMessage[];
    try {
      // A frame holds one message or an array of them (C1).
      messages = [JSON.parse(frame)].flat().filter(Boolean);
    } catch {
      // Who speaks there is no room.
      return lost();
    }
    for (const message of messages) {
      receive(message);
      // A listener may have left the room.
      if (own !== turn) return;
    }
    settled();
  }

  function receive(message: ServerMessage): void {
    if (message.type === "welcome") return enter(message);
    cause = message.type === "error" && !message.id ? message : undefined;
    if (!since) return;
    if (message.type === "message" || message.type === "skip") {
      const { offset } = message;
      if (offset! <= place!.offset) return;
      if (offset) place!.offset = offset;
    } else if (message.type === "auth") {
      renewLater(message.expires_in!);
    } else if ((message as WireError).id === "auth") {
      renewLater(expires - Date.now());
    }
    received(message);
  }

  function enter(welcome: Welcome): void {
    const before = place;
    const { epoch, session, offset, recovered, ping: pause } = welcome;
    // If it recovered, what was missed follows, and moves the offset on by itself (R2).
    place = { epoch, session, offset: recovered && before ? before.offset : offset };
    since = Date.now();
    refusals = 0;
    alive();
    // Once at the beginning: workerd is slow to close a socket from which nothing has come.
    ping();
    pinging = setInterval(ping, pause);
    renewLater(welcome.expires_in!);
    status = "connected";
    error = undefined;
    welcomed(welcome, before);
    // Somebody who was told of a member may have left.
    if (since) turned(status);
  }

  function ping(within = DEADLINE): void {
    socket!.send("ping");
    // The next ping is no reason to wait longer for the answer to this one.
    if (within < DEADLINE || !deadline) expect(within);
  }

  function alive(): void {
    clearTimeout(deadline);
    deadline = undefined;
  }

  /** Gives the connection up unless something comes in time. */
  function expect(within: number): void {
    alive();
    deadline = setTimeout(lost, within);
  }

  /** Sees to a new token before this one ends: not all clients of a crowd at the same moment. */
  function renewLater(expiresIn: number): void {
    clearTimeout(renewal);
    // What is left is too little: the server ends the connection, and the usual way begins. A `null`, too, is less.
    if (!renewable || expiresIn < 1_000) return;
    expires = Date.now() + expiresIn;
    const own = turn;
    renewal = setTimeout(
      () =>
        fetchToken!().then(
          (token) => own === turn && connection.send(JSON.stringify({ type: "auth", id: "auth", token })),
          (failure) => {
            if (own !== turn) return;
            renewLater(expires - Date.now());
            failed(failure);
          },
        ),
      Math.min(expiresIn * (0.7 + 0.2 * Math.random()), LONGEST_TIMEOUT),
    );
  }

  /** The close code says what comes next (E2). */
  function lost(code = 1006, reason = "", failure = closeError(url, code, reason, cause)): void {
    const lived = since;
    if (lived && Date.now() - lived > LIVED) attempts = 0;
    drop(KEEP_PLACE);
    const refused = code >= 4000 && code < 4100 && !lived;
    if (code >= 4500 || (refused && (!renewable || refusals++))) return stop(failure);
    slow = code >= 4300;
    retry = setTimeout(() => {
      slow = false;
      // While nobody looks and nothing can come of it, wait for what the browser tells of either.
      if (!globalThis.document?.hidden || navigator.onLine) void attempt();
    }, pauseBefore(attempts++, slow));
    become(failure);
  }

  function stop(failure: RoomfulError): void {
    drop(KEEP_PLACE);
    listen("removeEventListener", heard);
    become(failure, "disconnected");
    failed(failure);
  }

  function drop(code: number): void {
    // Which stops intervals as well.
    [retry, renewal, pinging].forEach(clearTimeout);
    alive();
    turn++;
    busy = slow = false;
    since = 0;
    cause = undefined;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    // That of `ws` throws an error that nobody listens to.
    socket.onerror = () => {};
    socket.close(code);
    socket = undefined;
  }

  function become(failure?: RoomfulError, next: Status = place ? "reconnecting" : "connecting"): void {
    error = failure;
    if (status === next) return;
    status = next;
    turned(next);
  }

  function heard({ type, persisted }: PageEvent): void {
    if (type === "pagehide") {
      // A page that is kept for the way back: its user went elsewhere, and its socket would be cut anyway. If it
      // ends for good instead, the browser closes the socket with 1001.
      if (!persisted) return;
      drop(1000);
      become();
    } else if (since) {
      ping(DOUBTFUL_DEADLINE);
    } else if (type !== "offline" && !slow && (type === "online" || (!busy && !document.hidden))) {
      void attempt();
    }
  }

  const connection: Connection = {
    get status() {
      return status;
    },
    get error() {
      return error;
    },
    get place() {
      return place;
    },
    open() {
      if (busy) return;
      attempts = refusals = 0;
      listen("addEventListener", heard);
      void attempt();
    },
    close() {
      drop(1000);
      listen("removeEventListener", heard);
      place = undefined;
      become(undefined, "initial");
    },
    send(text, behind = Infinity) {
      // React Native does not tell what is still on its way: https://github.com/facebook/react-native/issues/33810
      const possible = since > 0 && !(socket!.bufferedAmount! >= behind);
      if (possible) socket!.send(text);
      return possible;
    },
  };
  return connection;
}
