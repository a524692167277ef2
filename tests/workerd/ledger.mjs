// What a room has told anybody, and whether that can all be true of one log: M1, M4, M5.
import { get } from "./client.mjs";

/** How many of the newest messages are remembered: more than the history of a room that is watched for long. */
const REMEMBERED = 10_000;
/** A page of the history: R6. */
const PAGE = 500;

/** Everything that was said of one room, by whomever. What must not be is a line in `faults`. */
export class Ledger {
  faults = [];
  /** Offset to the message's text, as somebody was sent it. */
  #messages = new Map();
  /** Publish id to the offset that an ack gave it. */
  #acks = new Map();
  /** Of whom the messages stand in the log as they were first sent: nothing was refused and sent again later. */
  #orderly = new Set();
  /** How many stored messages were sent to anybody, and how many publishes were acknowledged. */
  sent = 0;
  acks = 0;

  fault(text) {
    // The first ones tell; the rest follows from them.
    if (this.faults.length < 50) this.faults.push(text);
  }

  /** Somebody was sent this stored message, live, in a replay or in a page of the history. */
  saw(message, by) {
    this.sent++;
    const text = JSON.stringify(message);
    const known = this.#messages.get(message.offset);
    if (known !== undefined && known !== text) {
      this.fault(`m5 ${by} was sent ${text}, and somebody else ${known}`);
    }
    this.#messages.set(message.offset, text);
    forget(this.#messages);
  }

  /** A publish was acknowledged. */
  acknowledged(id, offset, by) {
    const known = this.#acks.get(id);
    if (known !== undefined && known !== offset) this.fault(`m4 ${by}: ${id} is at ${known} and at ${offset}`);
    if (known === undefined) this.acks++;
    this.#acks.set(id, offset);
    forget(this.#acks);
  }

  orderly(user) {
    this.#orderly.add(user);
  }

  disorderly(user) {
    this.#orderly.delete(user);
  }

  /**
   * Reads the history, all of it or the newest page, and compares: dense; each message as everybody was sent it; what was
   * sent or acknowledged is there, once and where it was said to be; what one person says in the order in which they said
   * it. Resolves to the messages.
   */
  async audit(server, room, { all = true } = {}) {
    const messages = await history(server, room, all);
    const first = messages[0]?.offset ?? Infinity;
    const last = messages.at(-1)?.offset ?? 0;
    const offsets = new Map();
    const order = new Map();
    for (const [index, message] of messages.entries()) {
      if (message.offset !== first + index) this.fault(`m1 the history has ${message.offset} at ${first + index}`);
      this.saw(message, "the history");
      const { id, n } = message.data ?? {};
      if (id === undefined) continue;
      if (offsets.has(id)) this.fault(`m4 ${id} counts twice: ${offsets.get(id)} and ${message.offset}`);
      offsets.set(id, message.offset);
      if (this.#orderly.has(message.user) && n <= order.get(message.user)) {
        this.fault(`m6 ${id} stands behind number ${order.get(message.user)} of ${message.user}`);
      }
      order.set(message.user, n);
    }
    for (const [id, offset] of this.#acks) {
      // Nothing is known of what came after the history was read, nor of what has left it.
      if (offset < first || (!all && offset > last)) continue;
      if (offsets.get(id) !== offset) this.fault(`m5 ${id} was acknowledged at ${offset} and is at ${offsets.get(id)}`);
    }
    const lost = all ? [...this.#messages.keys()].filter((offset) => offset > last) : [];
    if (lost.length) this.fault(`m5 the log ends at ${last} and lost ${lost}, which somebody was sent`);
    return messages;
  }
}

/** The messages that a room still has, or the newest page of them. */
export async function history(server, room, all = true) {
  const messages = [];
  for (;;) {
    const before = messages.length ? `&before=${messages[0].offset}` : "";
    const { status, body } = await get(server, `/room/${room}/history?limit=${PAGE}${before}`);
    if (status !== 200) throw new Error(`the history of ${room}: ${status} ${JSON.stringify(body)}`);
    messages.unshift(...body.messages);
    if (!all || !body.more) return messages;
  }
}

function forget(map) {
  if (map.size > REMEMBERED) map.delete(map.keys().next().value);
}
