// The module that the runtime loads: the compiled Worker, with a guard around every room.
//
// All rooms of an isolate share one wasm instance. After a panic it is lost: what a room had in memory
// only is gone, its event would never end, and its sockets would stay open and deaf. The guard knows
// which rooms have something in memory only (an event under way, a timer). When the instance is lost,
// these are aborted, so that their clients reconnect and resume; the others are restored at their next
// event and notice nothing. guard.rs is the other side.
import { DurableObject, waitUntil } from "cloudflare:workers";
import * as built from "./index.js";
import page from "./page.mjs";

// For host.js, which is compiled into index.js and can import nothing from outside.
globalThis.roomful = { page };

/** Rooms with something in memory only. */
const busy = new Set();

const REASON = "the room restarts";

/** The latest life of each room in wasm, by its object's id. */
const lives = new Map();
const collected = new FinalizationRegistry((id) => {
  if (lives.get(id)?.deref() === undefined) lives.delete(id);
});

export class Room extends DurableObject {
  #room;
  #held = 0;
  #timer;
  #longest;

  constructor(context, env) {
    super(context, env);
    // A room cannot be aborted in another one's event. But a promise of its own can be rejected there, and what follows
    // from that runs in its own.
    new Promise((_, lose) => {
      this.lose = lose;
    }).catch((reason) => context.abort(reason));
    context.guard = Room.#guard(new WeakRef(this));
    const longest = Number(env.MAX_MESSAGE_BYTES);
    // What the Worker would refuse as a limit is none here either.
    this.#longest = longest >= 1024 && longest <= 1048576 ? longest : 65536;
    this.#room = Room.#live(context, env);
  }

  // The garbage collector sees nothing of what a life takes in wasm, so it is in no hurry: of a room that woke thousands of
  // times in a row, thousands of lives stood in memory. An object's new life tells that the one before is over.
  static #live(context, env) {
    const room = new built.Room(context, env);
    const id = context.id.toString();
    const before = lives.get(id)?.deref();
    lives.set(id, new WeakRef(room));
    collected.register(room, id);
    try {
      before?.end();
    } catch {
      // It belonged to an instance that is lost, and went with it.
    }
    return room;
  }

  // The room in wasm holds the context, and so this, until the garbage collector has found that nobody holds the room: a
  // way back that it can follow would keep every life of every room for ever. The runtime holds an object that is alive.
  static #guard(self) {
    return {
      hold: () => self.deref()?.#hold(),
      release: () => self.deref()?.#release(),
      panicked: (message) => lost(self.deref(), message),
      wake: (delay) => self.deref()?.#wake(delay),
      streamEnded: (link) => self.deref()?.#streamEnded(link),
    };
  }

  #streamEnded(link) {
    this.#sync(() => this.#room.streamEnded(link));
  }

  #hold() {
    this.#held++;
    busy.add(this);
  }

  #release() {
    this.#held--;
    this.#settle();
  }

  #settle() {
    if (this.#held === 0 && this.#timer === undefined) busy.delete(this);
  }

  async #run(method, ...values) {
    this.#hold();
    try {
      return await this.#room[method](...values);
    } catch (error) {
      throw this.#failed(error);
    } finally {
      this.#release();
    }
  }

  #sync(work) {
    this.#hold();
    try {
      work();
    } catch (error) {
      throw this.#failed(error);
    } finally {
      this.#release();
    }
  }

  #failed(error) {
    if (error instanceof WebAssembly.RuntimeError) lost(this, error.message);
    return error;
  }

  #wake(delay) {
    clearTimeout(this.#timer);
    busy.add(this);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sync(() => this.#room.wake());
    }, delay);
  }

  fetch(request) {
    return this.#run("fetch", request);
  }

  alarm() {
    return this.#run("alarm");
  }

  webSocketMessage(socket, message) {
    // The room has closed it. It ends when the other side wants, which meanwhile may send as much as it likes.
    if (socket.deaf) return;
    if (typeof message !== "string") return this.#run("webSocketMessage", socket, new ArrayBuffer(0));
    // A frame may have 32 MiB, and wasm's memory, once grown, never shrinks. What is too large is too large by one
    // character as well.
    if (message.length > this.#longest) message = message.slice(0, this.#longest + 1);
    // Text takes the short way: no promise, no task. It is what a room spends its time on.
    this.#sync(() => this.#room.frame(socket, message));
  }

  webSocketClose(socket, code, reason, clean) {
    return this.#run("webSocketClose", socket, code, reason, clean);
  }

  webSocketError(socket, error) {
    return this.#run("webSocketError", socket, error);
  }
}

/** The wasm instance is lost, in an event of `culprit` if that is known. */
function lost(culprit, message) {
  const others = [...busy].filter((room) => room !== culprit);
  busy.clear();
  console.error(JSON.stringify({ event: "instance_lost", aborted: others.length + (culprit ? 1 : 0), message }));
  for (const room of others) room.lose(REASON);
  culprit?.ctx.abort(REASON);
}

// A trap that no panic hook saw: the stack or the memory is used up. Whose event it was is not known, but it is busy.
addEventListener("error", (event) => {
  if (event.error instanceof WebAssembly.RuntimeError) {
    globalThis.__worker_init_state.criticalError = true;
    lost(undefined, "trap");
  }
});

export default class extends built.default {
  // A request whose client has gone goes on to its end: others may wait for the keys that it fetches, and of what the
  // runtime drops in the middle, wasm would keep its part for ever, some 10 kB for each.
  fetch(request) {
    const answer = super.fetch(request);
    waitUntil(answer.catch(() => {}));
    return answer;
  }
}
