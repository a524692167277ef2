// A room without a server: sockets that do what a test says, and time that passes when a test says so.
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { TestContext } from "node:test";
import { createClient } from "../../src/index.ts";
import type { Client, ClientOptions, Room, RoomOptions, RoomfulError, Topics } from "../../src/index.ts";
import type { Published, ServerMessage, Welcome, WireMember } from "../../src/wire.ts";

export const NOW = 1_767_225_600_000;
export const URL = "https://rooms.example";
export const RIGHTS = ["subscribe", "publish", "presence", "history"] as const;

// What is mocked is not what the tests wait with.
const immediate = setImmediate;

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  readonly url: URL;
  readonly protocols: string[];
  readonly at = Date.now();
  bufferedAmount: number | undefined = 0;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  /** What the client sent, as text. */
  readonly sent: string[] = [];
  /** With which code the client closed it. */
  closed: number | undefined;

  constructor(url: string, protocols: string[]) {
    this.url = new globalThis.URL(url);
    this.protocols = protocols;
  }

  send(text: string) {
    assert.equal(this.closed, undefined, "sent on a socket that is closed");
    this.sent.push(text);
  }

  close(code?: number) {
    this.closed ??= code ?? 1005;
  }

  /** What the client sent but for pings, as objects. */
  get messages(): any[] {
    return this.sent.filter((text) => text !== "ping").map((text) => JSON.parse(text));
  }

  get pings() {
    return this.sent.filter((text) => text === "ping").length;
  }

  /** The token it came with. */
  get token() {
    return this.protocols.find((protocol) => protocol.startsWith("roomful.token."))?.slice(14);
  }

  frame(text: string) {
    this.onmessage?.({ data: text });
  }

  /** A frame of one message or several. */
  tell(...messages: (ServerMessage | Record<string, unknown>)[]) {
    this.frame(JSON.stringify(messages.length === 1 ? messages[0] : messages));
    const greeting = messages.some(({ type }) => type === "welcome") ? this.sent.indexOf("ping") : -1;
    if (greeting < 0 || this.closed !== undefined) return;
    // The first ping comes upon the welcome. It is answered at once, and counts for nothing in the tests.
    this.sent.splice(greeting, 1);
    this.frame("pong");
  }

  welcome(parts: Partial<Welcome> = {}) {
    this.tell(welcome(parts));
  }

  ack(...ids: string[]) {
    this.tell(...ids.map((id) => ({ type: "ack", id })));
  }

  /** The connection ends from afar. */
  end(code = 1006, reason = "") {
    this.closed ??= code;
    this.onclose?.({ code, reason });
  }

  /** Refuses as a server does: with an error, and with a close code. */
  refuse(code: number, error: Record<string, unknown>) {
    const message = { type: "error", message: `It is ${error["code"]}.`, retryable: code < 4500, hint: "Do.", ...error };
    this.tell(message);
    this.end(code, error["code"] as string);
  }
}

export const member = (connection: string, parts: Partial<WireMember> & { name?: string } = {}): WireMember => {
  const { name = `user-${connection}`, ...rest } = parts;
  // The tests call members 1, 2, 3 …, in which order they also came.
  return { connection, user: { id: name, info: {} }, state: null, at: NOW + Number(connection), ...rest };
};

export const OWN = member("1", { name: "ana" });

export const welcome = (parts: Partial<Welcome> = {}): Welcome => ({
  type: "welcome",
  protocol: 1,
  room: "lobby",
  connection: "1",
  session: "1.0.secret",
  user: { id: "ana", info: {} },
  can: RIGHTS,
  expires_in: null,
  epoch: "e1",
  offset: 0,
  recovered: null,
  members: [OWN],
  occupancy: { connections: 1, users: 1 },
  ping: 25_000,
  limits: { message_bytes: 65_536, state_bytes: 4_096, rate_per_second: 100 },
  ...parts,
});

/** A welcome without members, as in a crowded room. */
export function unlisted(parts: Partial<Welcome> = {}): Welcome {
  const { members, ...rest } = welcome(parts);
  return rest;
}

export const stored = (offset: number, data: unknown = offset, event = "chat"): Published => ({
  type: "message",
  event,
  data,
  from: "2",
  user: "bob",
  offset,
  at: NOW,
});

/** The ids of the publishes that a socket got. */
export const ids = ({ messages }: FakeSocket) => messages.filter(({ type }) => type === "publish").map(({ id }) => id);

/** The error that a message gets, or a connection. */
export const refusal = (id: string | undefined, code: string, retryable: boolean, retry_after?: number) => ({
  type: "error",
  ...(id && { id }),
  code,
  message: `It is ${code}.`,
  retryable,
  hint: "Do.",
  ...(retry_after && { retry_after }),
});

/** Frees what nobody refers to. */
export function collect(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settled() {
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => immediate(done));
}

export interface World {
  readonly client: Client;
  /** All sockets there were, the oldest first. */
  readonly sockets: FakeSocket[];
  /** The newest. */
  readonly socket: FakeSocket;
  room(options?: RoomOptions): Room;
  /** A room that is connected. */
  enter(options?: RoomOptions, parts?: Partial<Welcome>): Promise<Room>;
  /** Time goes by. */
  pass(milliseconds: number): Promise<void>;
  /** Time goes by until the next attempt, not longer than any pause is; gives its socket. */
  next(): Promise<FakeSocket>;
  /** How many timers run. */
  readonly timers: number;
  /** What was written to the console, by what each began with. */
  readonly warnings: unknown[];
}

/** Time that stands still but for `pass`, which goes from one timer to the next and lets each do all that it causes. */
export function clock(t: TestContext) {
  let now = NOW;
  let last = 0;
  const timers = new Map<number, { due: number; task: () => void; every?: number }>();
  t.mock.method(Date, "now", () => now);
  t.mock.method(globalThis, "setTimeout", ((task: () => void, wait = 0) => {
    // As in browsers, where what does not fit 31 bits comes at once.
    timers.set(++last, { due: now + (wait > 2 ** 31 - 1 ? 1 : Math.max(1, wait)), task });
    return last;
  }) as never);
  t.mock.method(globalThis, "setInterval", ((task: () => void, every: number) => {
    timers.set(++last, { due: now + every, task, every });
    return last;
  }) as never);
  const clear = (id: number) => void timers.delete(id);
  t.mock.method(globalThis, "clearTimeout", clear as never);
  t.mock.method(globalThis, "clearInterval", clear as never);
  return {
    get timers() {
      return timers.size;
    },
    async pass(milliseconds: number, enough = () => false) {
      const end = now + milliseconds;
      for (;;) {
        await settled();
        if (enough()) return;
        const [id, next] = [...timers].sort(([, a], [, b]) => a.due - b.due)[0] ?? [];
        if (!next || next.due > end) break;
        now = Math.max(now, next.due);
        if (next.every) next.due += next.every;
        else timers.delete(id!);
        next.task();
      }
      now = end;
    },
  };
}

/** Time stands still from now on, and chance always gives a half. */
export function world(t: TestContext, options: Partial<ClientOptions> = {}, random: () => number = () => 0.5): World {
  const time = clock(t);
  t.mock.method(Math, "random", random);
  const warnings: unknown[] = [];
  t.mock.method(console, "warn", (first: unknown) => void warnings.push(first));
  const sockets: FakeSocket[] = [];
  class Socket extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const client = createClient({ url: URL, WebSocket: Socket, ...options });
  const it: World = {
    client,
    sockets,
    warnings,
    get socket() {
      const socket = sockets.at(-1);
      assert.ok(socket, "there was no socket");
      return socket;
    },
    room: (roomOptions) => client.room("lobby", roomOptions),
    async enter(roomOptions, parts) {
      const room = it.room(roomOptions);
      await settled();
      it.socket.welcome(parts);
      await settled();
      return room;
    },
    pass: (milliseconds) => time.pass(milliseconds),
    async next() {
      const { length } = sockets;
      await time.pass(40_000, () => sockets.length > length);
      assert.equal(sockets.length, length + 1, "there is another attempt");
      return it.socket;
    },
    get timers() {
      return time.timers;
    },
  };
  return it;
}

/** What a room tells of some topics, in order. */
export function told<K extends keyof Topics>(room: Room, ...topics: K[]): [K, Topics[K]][] {
  const all: [K, Topics[K]][] = [];
  for (const topic of topics) room.watch(topic, (value) => all.push([topic, value]));
  return all;
}

/** What a room tells of one topic. */
export function heard<K extends keyof Topics>(room: Room, topic: K): Topics[K][] {
  const all: Topics[K][] = [];
  room.watch(topic, (value) => all.push(value));
  return all;
}

/** The code of the error for which a room is not connected. */
export const why = (room: Room) => room.error?.code;

/** What becomes of a promise: its value, the code of its error, or `pending`. */
export function fate(promise: Promise<unknown>): { is: unknown } {
  const found: { is: unknown } = { is: "pending" };
  promise.then(
    (value) => (found.is = value),
    (error: RoomfulError) => (found.is = error.code),
  );
  return found;
}

/** The errors that handlers threw, which would end this process. */
export function uncaught(t: TestContext): unknown[] {
  const errors: unknown[] = [];
  const queue = queueMicrotask;
  t.mock.method(globalThis, "queueMicrotask", (task: () => void) =>
    queue(() => {
      try {
        task();
      } catch (error) {
        errors.push(error);
      }
    }),
  );
  return errors;
}
