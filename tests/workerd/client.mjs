// What the tests see of a server: the stock WebSocket client and fetch, with a record of everything that came.
import WebSocket from "ws";
import { mint } from "./token.mjs";
import { until } from "./until.mjs";

let rooms = 0;

/** A room's name that no other test of the file uses. */
export const freshRoom = (noun = "room") => `${noun}-${++rooms}`;

/** A token for one room, as most tests need it. */
export const tokenFor = (user, room, claims = {}) => mint({ sub: user, room, ...claims });

/** What a client shows to come back to its place: R1. */
export const placeOf = (recorder, offset = recorder.offset) => ({
  epoch: recorder.welcome.epoch,
  offset,
  session: recorder.welcome.session,
});

/** A WebSocket and what came through it. */
export class Recorder {
  /** The text frames as they came. */
  frames = [];
  /** The messages in them, in order, each with the time of its arrival in `times`. */
  messages = [];
  times = [];
  /** Code and reason, once it is closed. */
  closed;
  /** Status and body, if the upgrade was refused. */
  refused;
  #next = 0;
  #fences = 0;

  constructor(socket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => this.#take(isBinary ? data : data.toString()));
    socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    socket.on("error", (error) => {
      this.error = error;
    });
    socket.on("unexpected-response", (request, response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => {
        body += text;
      });
      response.on("end", () => {
        this.refused = { status: response.statusCode, headers: response.headers, body: parse(body) };
      });
    });
  }

  #take(frame) {
    this.frames.push(frame);
    const read = parse(frame);
    for (const message of Array.isArray(read) ? read : [read]) {
      this.messages.push(message);
      this.times.push(Date.now());
    }
  }

  get welcome() {
    return this.messages.find((message) => message.type === "welcome");
  }

  get connection() {
    return this.welcome.connection;
  }

  /** The last offset seen. */
  get offset() {
    const offsets = this.messages.filter(isStored).map((message) => message.offset);
    return offsets.at(-1) ?? this.welcome.offset;
  }

  /** Sends a text as it stands, or anything else as JSON. */
  send(message) {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The first message that came, or comes within the bound, and fits: a type, or some fields, or a function. */
  async find(wanted) {
    const fits = matcher(wanted);
    return this.#await(() => this.messages.find(fits), wanted);
  }

  /** Like `find`, but only among those after the last one that it gave. */
  async next(wanted) {
    const fits = matcher(wanted);
    const index = await this.#await(
      () => 1 + this.messages.findIndex((message, index) => index >= this.#next && fits(message)),
      wanted,
    );
    this.#next = index;
    return this.messages[index - 1];
  }

  /** When the message arrived. */
  timeOf(message) {
    return this.times[this.messages.indexOf(message)];
  }

  /** All messages so far that fit. */
  all(wanted) {
    return this.messages.filter(matcher(wanted));
  }

  /** Waits until everything has come that the room has had for this connection up to now: answers keep the order. */
  async settled() {
    const id = `fence-${++this.#fences}`;
    this.send({ type: "fence", id });
    await this.find({ type: "error", code: "unknown_type", id });
    return this;
  }

  /** Publishes with an id and waits for the ack. */
  async publish(event, data, fields = {}) {
    const id = fields.id ?? `m${Math.random().toString(36).slice(2)}`;
    const before = this.messages.length;
    this.send({ type: "publish", event, data, id, ...fields });
    const answered = (message) => message.id === id && (message.type === "ack" || message.type === "error");
    return this.#await(() => this.messages.slice(before).find(answered), { type: "ack", id });
  }

  /** Waits for the end; gives its code and reason. */
  async end(within) {
    await until(
      () => this.closed,
      () => `the end of a connection; ${this.#seen()}`,
      { within },
    );
    return this.closed;
  }

  /** Closes with a code, as a client that means it. */
  async close(code = 1000) {
    this.socket.close(code);
    return this.end();
  }

  /** Drops the network without a word. */
  drop() {
    this.socket.terminate();
  }

  #await(look, wanted) {
    const name = typeof wanted === "function" ? String(wanted) : JSON.stringify(wanted);
    const condition = () => {
      const ended = this.closed ?? this.refused;
      const outcome = look();
      if (ended && !outcome) throw new Error(`no ${name} before the end: ${JSON.stringify(ended)}; ${this.#seen()}`);
      return outcome;
    };
    return until(condition, () => `${name}; ${this.#seen()}`);
  }

  #seen() {
    return `last came ${this.frames
      .slice(-8)
      .map((frame) => String(frame).slice(0, 300))
      .join(" ")}`;
  }
}

const isStored = (message) => message.offset !== undefined && (message.type === "message" || message.type === "skip");

function matcher(wanted) {
  if (typeof wanted === "function") return wanted;
  if (typeof wanted === "string") return (message) => message === wanted || message.type === wanted;
  return (message) => Object.entries(wanted).every(([name, value]) => message[name] === value);
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Opens a WebSocket and waits until that has succeeded or failed.
 *
 * `user` and `claims` go into a fresh token, unless `token` is one (or `null` for none). `resume` is a place that
 * `placeOf` gave. `protocols` replaces the subprotocols, `query` adds parameters, `plain` offers no subprotocol at all.
 */
export async function open(server, room, options = {}) {
  const { user = "ana", claims, token = tokenFor(user, room, claims), resume, plain, query = {}, headers } = options;
  const { session, ...place } = resume ?? {};
  const parameters = new URLSearchParams({ ...place, ...query });
  const offered = ["roomful.v1"];
  if (plain) {
    if (token) parameters.set("token", token);
    if (session) parameters.set("session", session);
  } else {
    if (token) offered.push(`roomful.token.${token}`);
    if (session) offered.push(`roomful.session.${session}`);
  }
  const address = `${server.url.replace("http", "ws")}/room/${room}?${parameters}`;
  const protocols = options.protocols ?? (plain ? [] : offered);
  // After both close frames workerd (of 2026-11) keeps the connection of a client that never said anything for another
  // 10 s; browsers do not wait that long either.
  const socket = new WebSocket(address, protocols, { perMessageDeflate: false, closeTimeout: 100, headers });
  const recorder = new Recorder(socket);
  await until(
    () => socket.readyState === WebSocket.OPEN || recorder.refused || recorder.closed,
    `a connection to ${room}`,
  );
  return recorder;
}

/** Opens a WebSocket and waits for its welcome. */
export async function join(server, room, options) {
  const recorder = await open(server, room, options);
  await recorder.next("welcome");
  return recorder;
}

/** How Node calls a connection that was cut off. */
const CUT = new Set(["EPIPE", "ECONNRESET", "UND_ERR_SOCKET"]);

/** Makes an HTTP request; the body is JSON unless it is a string. `user` and `claims` as in `open`. */
export async function request(server, method, path, options = {}) {
  const { user = "server", claims = { can: ["admin"], room: "*" }, body, headers = {} } = options;
  const token = options.token === undefined ? mint({ sub: user, ...claims }) : options.token;
  const text = body === undefined || typeof body === "string" || ArrayBuffer.isView(body) ? body : JSON.stringify(body);
  const ask = async (tries) => {
    try {
      return await fetch(server.url + path, {
        method,
        body: text,
        // A connection that outlives the server would fail the next request.
        headers: { connection: "close", ...(token && { authorization: `Bearer ${token}` }), ...headers },
      });
    } catch (error) {
      // A body that is refused unread: the runtime cuts the connection, at times before its answer is read here.
      if (tries === 1 || !(text?.length > 1_000_000) || !CUT.has(error.cause?.code)) throw error;
      return ask(tries - 1);
    }
  };
  const response = await ask(20);
  return { status: response.status, headers: response.headers, body: parse(await response.text()) };
}

export const get = (server, path, options) => request(server, "GET", path, options);
export const post = (server, path, body, options) => request(server, "POST", path, { body, ...options });
