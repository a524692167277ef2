const DEADLINE = 10_000; // for a pong (C3), and for a welcome
const FIRST_RETRY = 500;
const LAST_RETRY = 30_000;
const PING = 2000; // so that there is a latency to draw; other clients ping as seldom as the welcome says

/**
 * A place in a room, held by one WebSocket after the other. It hands on what the room says and sees to it that
 * a lost connection comes back where it was; what the messages mean is left to others.
 */
export class Connection {
  status = { name: "connecting" };

  #socket;
  #tell;
  #attempts = 0;
  #welcomed; // when
  #pinged; // when, while its pong is awaited
  #error; // the last one, which may tell why the server closes
  #pinging;
  #deadline;
  #retry;

  /**
   * `place` is what is needed to come back: epoch, offset and session, or nothing yet. `tell` has what is told:
   * onStatus(status), onMessage(message), onPong(milliseconds) and onFrame(sent, text); in the place of a text there
   * is an object when a socket is opened or closed.
   */
  constructor({ room, user, place = {}, tell }) {
    Object.assign(this, { room, user, place });
    this.#tell = tell;
  }

  open() {
    // 3000 rather than nothing: to a socket that closes normally the room says goodbye at once (R4).
    this.#drop(3000);
    this.#become({ name: "connecting" });
    const { epoch, offset, session } = this.place;
    const address = new URL(`/room/${encodeURIComponent(this.room)}`, location.origin.replace("http", "ws"));
    address.searchParams.set("user", this.user);
    if (epoch !== undefined) {
      address.searchParams.set("epoch", epoch);
      address.searchParams.set("offset", offset);
    }
    const protocols = ["roomful.v1"];
    if (session) protocols.push(`roomful.session.${session}`);
    this.#socket = new WebSocket(address, protocols);
    this.#socket.onmessage = ({ data }) => this.#take(data);
    this.#socket.onclose = ({ code, reason }) => {
      this.#tell.onFrame(false, { type: "close", code, reason });
      this.#lost(code, reason);
    };
    this.#tell.onFrame(true, { type: "connect", path: address.pathname + address.search, protocols });
    this.#expect("The server does not answer.");
  }

  /** Leaves for good: the next `open` comes as somebody new. */
  leave() {
    this.#drop(1000);
    delete this.place.session;
    this.#become({ name: "left" });
  }

  /** Loses the connection, as a bad network does. */
  cut() {
    if (this.status.name !== "connected") return;
    this.#attempts = 0;
    this.#lost(1006, "The connection was cut.");
  }

  /** Has no network until the next `open`. */
  unplug() {
    this.#drop(3000);
    this.#become({ name: "offline" });
  }

  /** Sends a message if that is possible right now. */
  send(message) {
    if (this.status.name !== "connected") return false;
    this.#write(JSON.stringify(message));
    return true;
  }

  /** For moments in which the network may have come back, or may have gone unnoticed. */
  wake() {
    if (this.status.name === "connected") this.#ping();
    else if (this.status.name === "reconnecting" && !this.status.slow) this.open();
  }

  /** The browser believes that there is no network. That says little of a server on this machine, so ask that. */
  doubt() {
    if (this.status.name !== "connected") return;
    this.#ping();
    this.#expect("You are offline.", 2000);
  }

  #write(text) {
    this.#socket.send(text);
    this.#tell.onFrame(true, text);
  }

  #take(data) {
    this.#tell.onFrame(false, data);
    if (data === "pong") {
      clearTimeout(this.#deadline);
      this.#tell.onPong(performance.now() - this.#pinged);
      this.#pinged = undefined;
      return;
    }
    // A frame holds one message or an array of them (C1).
    for (const message of [JSON.parse(data)].flat()) {
      if (message.type === "welcome") this.#enter(message);
      if (message.type === "error") this.#error = message;
      // Ephemeral messages have no offset. An ack has one, but tells nothing of the messages before it.
      const stored = message.type === "message" || message.type === "skip";
      if (stored && message.offset !== undefined) this.place.offset = message.offset;
      this.#tell.onMessage(message);
    }
  }

  #enter({ epoch, offset, session, recovered, ping }) {
    clearTimeout(this.#deadline);
    // If it recovered, what was missed follows, and moves the offset on by itself (R2).
    this.place = { epoch, session, offset: recovered ? this.place.offset : offset };
    this.#welcomed = Date.now();
    this.#become({ name: "connected" });
    const pingAgain = () => {
      this.#ping();
      this.#pinging = setTimeout(pingAgain, document.hidden ? ping : Math.min(ping, PING));
    };
    // The first one after a moment, in which much else is under way and would make it look slow.
    this.#pinging = setTimeout(pingAgain, 1000);
  }

  #ping() {
    if (this.#pinged !== undefined) return;
    this.#pinged = performance.now();
    this.#write("ping");
    this.#expect("The connection went silent.");
  }

  #expect(otherwise, within = DEADLINE) {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(1006, otherwise), within);
  }

  /** The close code says what to do next (E2). */
  #lost(code, reason) {
    // The reason is an error's code; the error itself, which came before, says it in words.
    const why = (this.#error?.code === reason && this.#error.message) || reason || "The connection was lost.";
    // Otherwise a server that lets in and throws out is asked again and again without pause.
    if (Date.now() - this.#welcomed > DEADLINE) this.#attempts = 0;
    this.#drop(3000);
    // 4000 to 4099 ask for a fresh token, and this page has none to give.
    if ((code >= 4500 && code <= 4999) || (code >= 4000 && code <= 4099)) {
      return this.#become({ name: "disconnected", why: `${why} (${code})`, code });
    }
    // Anywhere between nothing and the whole pause: a crowd that was dropped together must not come back together.
    const slow = code >= 4300 && code <= 4499;
    const pause = slow ? LAST_RETRY : Math.min(LAST_RETRY, FIRST_RETRY * 2 ** this.#attempts++);
    const delay = slow ? pause * (1 + Math.random()) : pause * Math.random();
    this.#become({ name: "reconnecting", why, slow, at: Date.now() + delay });
    this.#retry = setTimeout(() => this.open(), delay);
  }

  #drop(code) {
    for (const timer of [this.#pinging, this.#deadline, this.#retry]) clearTimeout(timer);
    this.#pinged = this.#welcomed = undefined;
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    if (this.#socket.readyState < WebSocket.CLOSING) this.#tell.onFrame(true, { type: "close", code });
    this.#socket.close(code);
    this.#socket = undefined;
  }

  #become(status) {
    this.status = status;
    this.#tell.onStatus(status);
  }
}
