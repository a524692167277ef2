// A stock client that does what protocol.md asks of every client, and looks at each word whether it keeps the promises:
// offsets without a gap or a double, nothing missing from what was `recovered`, one leave for each join, nothing out of
// order. What does not is a fault in the ledger that all of a room share.
import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";
import { mint, seconds } from "./token.mjs";
import { until } from "./until.mjs";
import { View } from "./view.mjs";

/** How soon it comes back; doubled with each attempt that failed, up to that. */
const BACKOFF_MS = [20, 640];
/** How long it waits for a welcome: a server may be killed in the middle of one. */
const WELCOME_WITHIN_MS = 10_000;

export class Witness {
  connected = false;
  /** The last offset seen; undefined before the first welcome. */
  offset;
  connection;
  /** Who is here, as told. */
  view;
  /** Its own presence state, as it wants it to be. */
  state = null;
  /** How often it connected, came back, and came back to more than could be recovered. */
  connects = 0;
  resumes = 0;
  gaps = 0;
  /** Everything it was told, by type. */
  told = {};
  /** Codes of errors, and of closes. */
  errors = {};
  closes = {};
  /** What was published and not answered: id to message. */
  waiting = new Map();
  #said = 0;
  #heard = new Map();
  #place;
  #socket;
  #staying = true;
  #running;
  #noticed = () => {};

  /**
   * `missing` is how many messages the room may refuse to replay (R2): with fewer missing, `recovered` must be true.
   * `lifetime` is that of its tokens, in seconds. A `stream` reads server-sent events; it says nothing.
   */
  constructor(server, room, user, ledger, { missing = Infinity, lifetime = 600, stream = false } = {}) {
    Object.assign(this, { server, room, user, ledger, missing, lifetime, stream });
    this.view = new View((text) => this.#fault(text));
    ledger.orderly(user);
  }

  /** Comes, and from then on comes back whenever it is cut off. Resolves when it is there. */
  async join() {
    this.#running = this.#stay();
    await until(() => this.connected, () => `${this.user} in ${this.room}`, { within: 30_000 });
    return this;
  }

  /** Leaves for good. */
  async leave(code = 1000) {
    this.#staying = false;
    this.#socket?.close(code);
    await this.#running;
  }

  /** Loses the network without a word. */
  drop() {
    this.#socket?.terminate();
  }

  /** Publishes, again after every loss until that is answered. Gives the id. */
  publish({ data, ...fields } = {}) {
    const n = ++this.#said;
    const id = `${this.user}-${n}`;
    const message = { type: "publish", event: "e", data: { id, n, ...data }, id, ...fields };
    this.waiting.set(id, message);
    this.#send(message);
    return id;
  }

  /** Says something that is not stored and not answered, to one user or to all. */
  murmur(to) {
    const whom = to && { to: [`user:${to}`] };
    this.#send({ type: "publish", event: "cursor", data: { n: ++this.#said, to }, ephemeral: true, ...whom });
  }

  /** Sets the presence state. */
  show(state) {
    this.state = state;
    this.#send({ type: "state", state });
  }

  /** Asks for a page of the history; it is compared when it comes. */
  read(query) {
    this.#send({ type: "history", id: "h", ...query });
  }

  renew() {
    this.#send({ type: "auth", token: this.#token() });
  }

  ping() {
    if (this.connected && !this.stream) this.#socket.send("ping");
  }

  #token() {
    return mint({ sub: this.user, room: this.room, exp: seconds(this.lifetime) });
  }

  #send(message) {
    if (this.connected && !this.stream) this.#socket.send(JSON.stringify(message));
  }

  async #stay() {
    let wait = BACKOFF_MS[0];
    while (this.#staying) {
      const before = this.connects;
      await this.#once();
      this.connected = false;
      wait = this.connects > before ? BACKOFF_MS[0] : Math.min(wait * 2, BACKOFF_MS[1]);
      // Full jitter, as a good client has it.
      if (this.#staying) await pause(wait * Math.random());
    }
  }

  /** One connection, from its beginning to its end. */
  async #once() {
    const socket = this.stream ? this.#openStream() : this.#openSocket();
    this.#socket = socket;
    const late = setTimeout(() => this.connected || socket.terminate(), WELCOME_WITHIN_MS);
    const ended = await socket.ended;
    clearTimeout(late);
    if (ended !== undefined) this.closes[ended] = (this.closes[ended] ?? 0) + 1;
    if (ended >= 4500 && ended !== 4504 && this.#staying) {
      this.#fault(`e2 told to stop with ${ended}`);
      this.#staying = false;
    }
  }

  #openSocket() {
    const { session, ...place } = this.#place ?? {};
    const offered = ["roomful.v1", `roomful.token.${this.#token()}`];
    if (session) offered.push(`roomful.session.${session}`);
    const resume = this.#place ? { ...place, offset: this.offset } : {};
    const address = `${this.server.url.replace("http", "ws")}/room/${this.room}?${new URLSearchParams(resume)}`;
    const socket = new WebSocket(address, offered, { perMessageDeflate: false, closeTimeout: 100 });
    socket.on("message", (text) => this.#take(String(text)));
    socket.on("error", () => {});
    socket.ended = new Promise((resolve) => socket.on("close", resolve));
    return socket;
  }

  #openStream() {
    const abort = new AbortController();
    const { epoch } = this.#place ?? {};
    const headers = {
      accept: "text/event-stream",
      connection: "close",
      ...(epoch && { "last-event-id": `${epoch}/${this.offset}` }),
    };
    const query = new URLSearchParams({ token: this.#token(), presence: "true" });
    const reading = async () => {
      const response = await fetch(`${this.server.url}/room/${this.room}?${query}`, { headers, signal: abort.signal });
      let rest = "";
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        const blocks = (rest + chunk).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const data = /^data: ?(.*)$/m.exec(block);
          if (data) this.#take(data[1]);
        }
      }
    };
    const end = () => abort.abort();
    return { ended: reading().catch(() => {}), close: end, terminate: end };
  }

  #take(frame) {
    if (frame === "pong") return this.#count("pong");
    for (const message of [JSON.parse(frame)].flat()) {
      this.#count(message.type);
      this.#hear(message);
    }
    this.#noticed();
  }

  #hear(message) {
    switch (message.type) {
      case "welcome":
        return this.#welcome(message);
      case "message":
      case "skip":
        return message.offset === undefined ? this.#ephemeral(message) : this.#stored(message);
      case "ack":
        return this.#ack(message);
      case "error":
        return this.#error(message);
      case "history":
        return message.messages.forEach((one) => this.ledger.saw(one, `${this.user}, in a page,`));
      default:
        return this.view.take(message);
    }
  }

  #welcome({ epoch, session, connection, offset, recovered, members }) {
    this.connects++;
    const last = this.#place;
    if (last === undefined) {
      if (recovered !== null) this.#fault(`r3 recovered is ${recovered} at the first welcome`);
      this.offset = offset;
    } else {
      this.resumes++;
      if (epoch !== last.epoch) this.#fault("r5 the epoch is another");
      if (offset < this.offset) this.#fault(`m5 was sent ${this.offset}, and now the room ends at ${offset}`);
      if (!this.stream && connection !== this.connection) this.#fault(`r1 came back as ${connection}`);
      if (recovered !== true) {
        this.gaps++;
        if (offset - this.offset <= this.missing) this.#fault(`r2 ${offset - this.offset} missing, not recovered`);
        this.offset = offset;
      }
    }
    this.#place = { epoch, session };
    this.connection = connection;
    // A stream reads along, and is no member.
    if (members) this.view.list(members, this.stream ? undefined : connection);
    this.connected = true;
    if (this.stream) return;
    // R5: a room that restarted may have forgotten it.
    if (!this.shown) this.show(this.state);
    for (const message of this.waiting.values()) this.#send(message);
  }

  #stored(message) {
    if (message.offset !== this.offset + 1) this.#fault(`m1 ${message.offset} follows ${this.offset}`);
    this.offset = message.offset;
    if (message.type === "message") this.ledger.saw(message, this.user);
  }

  /** What one says reaches everybody in the order in which it was said; some of it may be lost with a connection. */
  #ephemeral({ user, data, private: whispered }) {
    if (whispered && data?.to !== this.user) this.#fault(`m3 heard what ${user} told ${data?.to}`);
    if (!(data?.n > (this.#heard.get(user) ?? 0))) this.#fault(`m6 ${data?.n} of ${user} after ${this.#heard.get(user)}`);
    this.#heard.set(user, data?.n);
  }

  #ack({ id, offset }) {
    const message = this.waiting.get(id);
    this.waiting.delete(id);
    if (message?.ephemeral || message?.to) return;
    if (offset > this.offset) this.#fault(`m6 ${id} is acknowledged at ${offset} before ${this.offset + 1} has come`);
    this.ledger.acknowledged(id, offset, this.user);
  }

  #error({ id, code, retryable, retry_after = 50 }) {
    this.errors[code] = (this.errors[code] ?? 0) + 1;
    const message = this.waiting.get(id);
    if (!message) return;
    if (!retryable) {
      this.#fault(`e1 ${id} was refused for good: ${code}`);
      return this.waiting.delete(id);
    }
    this.ledger.disorderly(this.user);
    setTimeout(() => this.waiting.has(id) && this.#send(message), retry_after);
  }

  /** Whether it has been told that its presence state is what it wants it to be. */
  get shown() {
    return JSON.stringify(this.view.stateOf(this.connection)) === JSON.stringify(this.state);
  }

  /** Whether nothing is under way for it. */
  get quiet() {
    return this.connected && this.waiting.size === 0;
  }

  #count(type) {
    this.told[type] = (this.told[type] ?? 0) + 1;
  }

  #fault(text) {
    this.ledger.fault(`${this.user} in ${this.room}: ${text}`);
  }

  /** `work` is called after each frame. */
  notice(work) {
    this.#noticed = work;
  }
}
