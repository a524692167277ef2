// A room without a server: sockets that do what a test says, and time that passes when a test says so.
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { TestContext } from "node:test";
import { createClient } from "../../src/index.ts";
import type { Client, ClientOptions, Room, RoomOptions, RoomfulError, Topics } from "../../src/index.ts";
import type { Welcome } from "../../src/wire.ts";
import { NOW } from "./frames.ts";
import { FakeSocket } from "./socket.ts";

export * from "./frames.ts";
export { FakeSocket } from "./socket.ts";

export const URL = "https://rooms.example";

// What is mocked is not what the tests wait with.
const immediate = setImmediate;

/** The ids of the publishes that a socket got. */
export const ids = ({ messages }: FakeSocket) => messages.filter(({ type }) => type === "publish").map(({ id }) => id);

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
  t.mock.method(globalThis, "setTimeout", ((task: (...values: unknown[]) => void, wait = 0, ...values: unknown[]) => {
    // As in browsers, where what does not fit 31 bits comes at once.
    timers.set(++last, { due: now + (wait > 2 ** 31 - 1 ? 1 : Math.max(1, wait)), task: () => task(...values) });
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
