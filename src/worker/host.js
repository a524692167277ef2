// What is cheaper, or only possible, on JavaScript's side of the wasm boundary: the sockets and
// streams of one room, found by the number that the room knows them by (its links), and one crossing
// for a text that goes to all of them.

const MIB = 1024 * 1024;
// Bytes that may wait for one reader before it counts as too slow.
const MAX_BUFFERED = 8 * MIB;
// Bytes that may wait for all readers of the room; beyond it, those for whom most is waiting are too slow. An isolate
// has 128 MB for all of its rooms.
const MAX_BUFFERED_TOGETHER = 32 * MIB;
// Nobody is too slow for the others' sake with no more than this: a welcome and what was missed may be as long.
const BUFFERED_ANYWAY = MIB;
// What waits for one that is closed counts from here on: nearly always something is on its way.
const UNREAD_ANYWAY = 64 * 1024;
// Sockets are asked how much waits for them once so many characters were sent to one of them, or to all together: to
// ask takes 0.3 µs, which is some hundredths of a send, for what hardly ever matters.
const LOOK_AFTER = MIB;
const LOOK_AFTER_TOGETHER = 16 * MIB;
// Characters that fit an attachment whatever they are: it may have 16,384 bytes.
const MAX_ATTACHED_STRING = 8_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Where a socket carries its link. Sockets of an earlier life of the room have none, since their objects were others, and
 * those that have ended have 0. (To enter them into a WeakMap was some 3 % of waking with a thousand.)
 */
const LINK = Symbol("link");

export class Host {
  #context;
  #sockets = new Map();
  #streams = new Map();
  // What waits for readers whose sockets have ended, by link: no event tells when it is gone.
  #waiting = new Map();
  #next = 1;
  // Characters sent since sockets were last asked: to one of them at most, and to all.
  #toOne = 0;
  #toAll = 0;

  /** @param context the object's state, with the guard that the entry module put there */
  constructor(context) {
    this.#context = context;
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /**
   * Gives every socket that outlived the last life a link, from 1 on, and returns their attachments as UTF-8, a line each:
   * an empty one for what is not ours.
   */
  restore() {
    // The room may not have come of it the last time, if storage could not be read; nothing was accepted since.
    this.#next = 1;
    this.#sockets.clear();
    this.#waiting.clear();
    const sockets = this.#context.getWebSockets();
    let lines = "";
    for (let i = 0; i < sockets.length; i++) {
      if (i > 0) lines += "\n";
      this.#keep(this.#next++, sockets[i]);
      try {
        const attachment = sockets[i].deserializeAttachment();
        if (typeof attachment === "string") lines += attachment;
        else if (attachment instanceof Uint8Array) lines += decoder.decode(attachment);
      } catch {
        // Not ours.
      }
    }
    return encoder.encode(lines);
  }

  #keep(link, socket) {
    socket[LINK] = link;
    this.#sockets.set(link, socket);
  }

  nextLink() {
    return this.#next++;
  }

  /** The link of a socket, 0 if it has none. */
  linkOf(socket) {
    return socket[LINK] ?? 0;
  }

  accept(link, socket) {
    this.#context.acceptWebSocket(socket);
    this.#keep(link, socket);
  }

  attach(link, text) {
    // A string is read faster than bytes, which become two objects first; but it may take two bytes for a character.
    const attachment = text.length > MAX_ATTACHED_STRING ? encoder.encode(text) : text;
    this.#sockets.get(link)?.serializeAttachment(attachment);
  }

  /** Sends one text to many sockets; returns the links whose readers are too slow, if any. */
  send(to, text) {
    const slow = this.#tooSlow(to.length, text.length);
    for (let i = 0; i < to.length; i++) {
      const socket = this.#sockets.get(to[i]);
      if (socket === undefined || slow?.has(to[i])) continue;
      try {
        socket.send(text);
      } catch {
        // It is closing: its close event is on the way.
      }
    }
    return slow && Uint32Array.from(slow);
  }

  /**
   * The links for which too much is waiting, each or together, if it is time to look. Called before so many are sent
   * so much: what they have not been given time to read says nothing about them. What goes to nobody was withheld, and is no
   * reason to look: who was just found too slow is to hear so (E3).
   */
  #tooSlow(count, length) {
    if (count === 0) return;
    const due = this.#toOne > LOOK_AFTER || this.#toAll > LOOK_AFTER_TOGETHER;
    this.#toOne = (due ? 0 : this.#toOne) + length;
    this.#toAll = (due ? 0 : this.#toAll) + length * count;
    if (!due) return;
    const readers = [];
    let together = 0;
    const note = (link, waiting) => {
      together += waiting;
      if (waiting > BUFFERED_ANYWAY) readers.push({ link, waiting });
    };
    // Not every version of the runtime knows how much is waiting.
    for (const [link, socket] of this.#sockets) note(link, socket.bufferedAmount ?? 0);
    for (const [link, stream] of this.#streams) note(link, stream.waiting);
    readers.sort((one, other) => other.waiting - one.waiting);
    const slow = new Set();
    for (const { link, waiting } of readers) {
      if (waiting <= MAX_BUFFERED && together <= MAX_BUFFERED_TOGETHER) break;
      slow.add(link);
      together -= waiting;
    }
    return slow.size > 0 ? slow : undefined;
  }

  /**
   * Opens a stream of server-sent events. What is written to this kind of stream waits for the output gate, as frames do:
   * nobody reads an offset that a crash can take back. (What a JavaScript source enqueues does not wait.)
   */
  openStream(link) {
    const { readable, writable } = new IdentityTransformStream();
    this.#streams.set(link, { writer: writable.getWriter(), waiting: 0 });
    return readable;
  }

  /** Sends events to many streams; returns the links whose readers are too slow, if any. */
  stream(to, text) {
    const bytes = encoder.encode(text);
    const slow = this.#tooSlow(to.length, bytes.byteLength);
    for (let i = 0; i < to.length; i++) {
      // A number of its own: `to` is a view of memory that will mean something else by the time of the callback.
      const link = to[i];
      const stream = this.#streams.get(link);
      if (stream === undefined || slow?.has(link)) continue;
      stream.waiting += bytes.byteLength;
      stream.writer.write(bytes).then(
        () => {
          stream.waiting -= bytes.byteLength;
        },
        () => this.#readerHasGone(link, stream),
      );
    }
    return slow && Uint32Array.from(slow);
  }

  #readerHasGone(link, stream) {
    if (this.#streams.get(link) !== stream) return;
    this.#streams.delete(link);
    this.#context.guard.streamEnded(link);
  }

  /**
   * Lets go of a socket that the room closes, or has closed in an earlier life: to close it again would keep the object
   * awake until it ends (workerd of 2026-11). It keeps its link, under which its end is told: what it has not read stays in
   * memory until then. What it may go on to send is not read (entry.mjs).
   */
  silence(link) {
    const socket = this.#sockets.get(link);
    this.#sockets.delete(link);
    if (socket) {
      socket.deaf = true;
      this.#listen(socket);
    }
    return socket;
  }

  /**
   * Ends a link from the room's side, and leaves `left` as the attachment of its socket; tells how many bytes are left that
   * its reader has not read, if they are many.
   */
  close(link, code, reason, left) {
    const stream = this.#streams.get(link);
    if (stream !== undefined) {
      this.#streams.delete(link);
      // Of a reader that is too slow, what waits for it is dropped.
      const dropped = stream.waiting > BUFFERED_ANYWAY;
      // It has ended when its reader has read everything, or is gone. Until then only memory knows of it: in a life that
      // followed on a lost instance its link would be somebody else's.
      const { guard } = this.#context;
      guard.hold();
      const ended = () => {
        guard.streamEnded(link);
        guard.release();
      };
      (dropped ? stream.writer.abort() : stream.writer.close()).then(ended, ended);
      return dropped ? 0 : much(stream.waiting);
    }
    const socket = this.silence(link);
    if (socket === undefined) return 0;
    const unread = much(socket.bufferedAmount);
    try {
      socket.serializeAttachment(left);
      socket.close(code, reason);
    } catch {
      // It is closed already.
    }
    return unread;
  }

  /**
   * Completes the closing that the other side began, without which the client stays in CLOSING (hibernatable sockets,
   * whatever the compatibility date says; seen on workerd of 2026-11). Tells how many bytes wait for it even so: it may read
   * no further, and keep its network.
   */
  closed(link, socket, code) {
    this.#forget(link, socket);
    // One whose network went first is closed by then, and so is one that the room has closed.
    if (socket.readyState === WebSocket.CLOSED && !socket.deaf) socket.broken = true;
    const unread = this.#unread(socket);
    if (unread > 0) {
      this.#listen(socket);
      // The runtime holds it for as long as something waits.
      this.#waiting.set(link, new WeakRef(socket));
    }
    try {
      // Some codes are told to us but must not be said: 1005, 1006 and 1015, and what a hostile client makes up, whose
      // socket would stay open and count nowhere.
      if (code >= 1000 && code < 5000 && ![1004, 1005, 1006, 1015].includes(code)) socket.close(code);
      else socket.close();
    } catch {
      // It is closed already.
    }
    return unread;
  }

  /** The links of those for whom nothing waits any more, each once. */
  drained() {
    const links = [...this.#waiting.keys()].filter((link) => this.#unread(this.#waiting.get(link).deref()) === 0);
    for (const link of links) this.#waiting.delete(link);
    return Uint32Array.from(links);
  }

  /** How many bytes wait for the reader of a socket. What the runtime tells stays as it was when the network went. */
  #unread(socket) {
    if (socket === undefined || socket.broken) return 0;
    try {
      // It has tags, if only none, until the runtime lets go of its connection.
      this.#context.getTags(socket);
    } catch {
      return 0;
    }
    return socket.bufferedAmount ?? 0;
  }

  /** Listens for the only sign that the network of a socket which was closed is gone. */
  #listen(socket) {
    socket.addEventListener("error", () => {
      socket.broken = true;
    });
  }

  #forget(link, socket) {
    socket[LINK] = 0;
    this.#sockets.delete(link);
  }

  /** When each socket last pinged: link and milliseconds, alternating. */
  pings() {
    const pings = [];
    for (const [link, socket] of this.#sockets) {
      const at = this.#context.getWebSocketAutoResponseTimestamp(socket);
      if (at) pings.push(link, at.getTime());
    }
    return Float64Array.from(pings);
  }

  /** Wakes the object at this time (milliseconds since the epoch), even from hibernation. */
  setAlarm(at) {
    // A failed write of an alarm breaks the output gate: the runtime then resets the object by itself.
    this.#context.storage.setAlarm(at).catch(() => {});
  }

  /** Bytes of the database, without pages that are free. */
  databaseSize() {
    return this.#context.storage.sql.databaseSize;
  }

  /** Leaves nothing in storage, the alarm included. Takes effect at once. */
  deleteAll() {
    this.#context.storage.deleteAll().catch(() => {});
  }

  /** Runs SQL statements, with `;` between them, all of them or none; returns how many rows they wrote. */
  together(statements) {
    const { storage } = this.#context;
    const run = (rows, statement) => rows + storage.sql.exec(statement).rowsWritten;
    return storage.transactionSync(() => statements.split(";").reduce(run, 0));
  }
}

/** Bytes that wait for a reader, if they are many. Not every version of the runtime knows how many wait. */
function much(bytes) {
  return bytes > UNREAD_ANYWAY ? bytes : 0;
}

/** Whether `signature` over `input` is by the owner of `jwk` (JSON text). `algorithm` is JSON for WebCrypto. */
export async function verifySignature(jwk, algorithm, signature, input) {
  const by = JSON.parse(algorithm);
  const key = await crypto.subtle.importKey("jwk", JSON.parse(jwk), by, false, ["verify"]);
  return crypto.subtle.verify(by, key, signature, input);
}

/** Random bytes for keys and names. */
export function random(count) {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** The part of a namespace whose objects stay within a jurisdiction. */
export function within(namespace, jurisdiction) {
  return namespace.jurisdiction(jurisdiction);
}

/** A value of a URL's query, decoded as everywhere on the web: what is malformed stays, or becomes U+FFFD. */
export function decodeQuery(text) {
  return new URLSearchParams(`=${text}`).get("");
}

/** A variable of the deployment as text: `[vars]` may hold numbers and booleans as well. */
export function variable(env, name) {
  const value = env[name];
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** Whether a variable is something else: a list or a table, which `[vars]` may hold as well, or some binding. */
export function isNoText(env, name) {
  return env[name] != null && variable(env, name) === undefined;
}

/** Whether the runtime can make a request to it. */
export function isUrl(text) {
  return URL.canParse(text);
}

/** The names of all that `variable` may give, a line each. */
export function variables(env) {
  return Object.keys(env)
    .filter((name) => variable(env, name) !== undefined)
    .join("\n");
}

/** The Analytics Engine dataset of the deployment, if one is bound. */
export function dataset({ METRICS }) {
  return typeof METRICS?.writeDataPoint === "function" ? METRICS : undefined;
}

/** Writes the data point of a room, or without one that of the Worker; returns at once. */
export function writePoint(dataset, room, codes, doubles) {
  const kind = room ? "room" : "worker";
  // What points are sampled by, should there be too many. More than 96 bytes would throw; a room's name is ASCII.
  const index = (room || kind).slice(0, 96);
  dataset.writeDataPoint({ indexes: [index], blobs: [kind, room, codes], doubles: Array.from(doubles) });
}

/** A request to a room's object. */
export function request(header, call, upgrade, body) {
  const headers = { [header]: call };
  if (upgrade) headers.upgrade = "websocket";
  return new Request("https://room/", body === undefined ? { headers } : { method: "POST", headers, body });
}

/** The text of a request's or response's body, or undefined if it is longer than `most` bytes. Throws if it is not UTF-8. */
export async function bodyText({ body }, most) {
  const chunks = [];
  let size = 0;
  // A body that is too long is never brought into memory.
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > most) return undefined;
    chunks.push(chunk);
  }
  return new TextDecoder("utf-8", { fatal: true }).decode(await new Blob(chunks).arrayBuffer());
}

/** The text at a URL, if it comes in time and is no longer than `most` bytes. */
export async function fetchText(url, most, milliseconds) {
  // A redirect may lead anywhere; whoever set the address has vouched for that one.
  const response = await fetch(url, { signal: AbortSignal.timeout(milliseconds), redirect: "manual" });
  if (response.status >= 300 && response.status < 400) {
    throw new Error("the answer is a redirect, and none is followed: set the address that it leads to");
  }
  if (response.status !== 200) throw new Error(`the answer has status ${response.status}`);
  const text = await bodyText(response, most);
  if (text === undefined) throw new Error(`the answer is longer than ${most} bytes`);
  return text;
}

/** Waits. */
export function pause(milliseconds) {
  return new Promise((resume) => setTimeout(resume, milliseconds));
}

/** The first page, if this Worker was built with one. */
export function firstPage() {
  return globalThis.roomful?.page;
}
