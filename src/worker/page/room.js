import { Connection } from "./connection.js";

const PAGE = 50; // messages of history at a time
const STATE_PAUSE = 50; // so at most 20 times a second

/**
 * Enters a room and keeps what it says in order: who is `here`, the log, what is not acknowledged yet, and the own
 * presence state. `people` and `shown` show it; `tell` is told of the rest, like a Connection's, and of onAck(ms),
 * onWelcome(welcome), onSpoken(user), onUser() and onTrouble(text). `kept` is what `keep` gave before a reload.
 */
export function enterRoom({ room, here, people, shown, kept, tell }) {
  const { members } = here; // connection id → member
  const log = []; // stored messages by ascending offset: { offset, line }
  const outbox = []; // not acknowledged: { id, text, line, sent (when), offset }
  let floor; // from this offset on everything is in the log, or on its way
  let asked; // for history: { id, before }
  let nextUser; // who to be once everything written as the present one has arrived
  let leaving = false; // likewise

  const connection = new Connection({
    ...{ room, user: here.user, place: kept?.place },
    tell: {
      ...tell,
      onMessage(message) {
        // Types that this page does not know are for others (C5).
        if (Object.hasOwn(on, message.type)) on[message.type](message);
      },
    },
  });

  /** What to do with a message of the server, by its type. */
  const on = {
    welcome(welcome) {
      tell.onWelcome(welcome, connection.place);
      here.me = welcome.connection;
      here.occupancy = welcome.occupancy;
      listMembers(welcome.members);
      asked = undefined;
      if (welcome.recovered !== true) {
        // Nothing was missed if this is the first time, and nobody knows how much if not (R3): begin at the end.
        log.length = 0;
        floor = welcome.offset + 1;
        shown.more = welcome.offset > 0;
        shown.loaded = !shown.more;
        shown.clear();
      }
      if (!shown.loaded) loadEarlier();
      outbox.forEach(publish);
      // After a restart the room may have forgotten the state (R5).
      const own = members.get(here.me)?.state;
      if (!sameState(own, state)) connection.send({ type: "state", state });
      changed.clear();
    },

    message(message) {
      if (message.offset !== undefined && place(message)) tell.onSpoken(message.user);
    },

    // Durable, and maybe not yet seen: nothing guarantees that the message itself comes first.
    ack({ id, offset }) {
      const index = outbox.findIndex((entry) => entry.id === id);
      if (index < 0) return;
      const [entry] = outbox.splice(index, 1);
      tell.onAck(performance.now() - entry.sent);
      if (entry.offset === undefined) {
        const data = { text: entry.text };
        const message = { event: "chat", data, from: here.me, user: here.user, offset, at: Date.now() };
        if (offset < floor || !place(message, entry)) entry.line.remove();
      }
      settle();
    },

    error(error) {
      const entry = outbox.find(({ id }) => id === error.id);
      if (entry) {
        entry.sent = undefined;
        if (error.retryable) return setTimeout(publish, error.retry_after ?? 1000, entry);
        outbox.splice(outbox.indexOf(entry), 1);
        shown.fail(entry.line, error.message);
        tell.onTrouble(`Not sent: ${error.message}`);
        return settle();
      }
      tell.onTrouble(error.message);
      if (!asked || error.id !== asked.id) return;
      asked = undefined;
      if (error.retryable) setTimeout(loadEarlier, error.retry_after ?? 1000);
    },

    history(history) {
      if (history.id !== asked?.id) return;
      asked = undefined;
      shown.loaded = true;
      shown.keeping(() => {
        for (const message of history.messages) if (message.type === "message") place(message);
        floor = history.messages[0]?.offset ?? floor;
        shown.more = history.more && history.messages.length > 0;
      });
    },

    join({ member }) {
      members.set(member.connection, member);
      people.changed();
    },

    leave({ connection }) {
      members.delete(connection);
      people.changed();
    },

    members({ members }) {
      listMembers(members);
    },

    occupancy({ connections, users }) {
      here.occupancy = { connections, users };
      listMembers(undefined);
    },

    states({ states = {}, patches = {} }) {
      for (const [id, whole] of Object.entries(states)) {
        if (members.has(id)) members.get(id).state = whole;
      }
      for (const [id, patch] of Object.entries(patches)) {
        if (members.has(id)) members.get(id).state = merged(members.get(id).state, patch);
      }
      people.acted();
    },
  };

  function listMembers(list) {
    here.crowded = list === undefined;
    members.clear();
    for (const member of list ?? []) members.set(member.connection, member);
    people.changed();
  }

  // Own presence state: where the pointer is, and whether something is being typed.
  const state = {};
  const changed = new Set();
  let stateSent = 0;
  let stateTimer;

  function setState(key, value) {
    if (JSON.stringify(state[key] ?? null) === JSON.stringify(value)) return;
    if (value === null) delete state[key];
    else state[key] = value;
    changed.add(key);
    stateTimer ??= setTimeout(sendState, Math.max(0, stateSent + STATE_PAUSE - performance.now()));
  }

  function sendState() {
    stateTimer = undefined;
    const patch = Object.fromEntries([...changed].map((key) => [key, state[key] ?? null]));
    // Without a connection, the next welcome sees to it.
    if (!changed.size || !connection.send({ type: "state", patch })) return;
    stateSent = performance.now();
    changed.clear();
  }

  /** Says something: now, or as soon as there is a connection. `sent` may have been before a reload. */
  function say(text, id = randomId(), sent) {
    const line = shown.newLine({ event: "chat", data: { text }, user: here.user, at: Date.now() });
    const entry = { id, text, line, sent };
    outbox.push(entry);
    shown.showUnsent(line);
    publish(entry);
  }

  /** May be sent again: the same id counts once (M4). */
  function publish(entry) {
    if (!outbox.includes(entry)) return;
    const { id, text } = entry;
    if (connection.send({ type: "publish", event: "chat", data: { text }, id })) entry.sent = performance.now();
  }

  /** Puts a stored message into the log, unless it is there already. */
  function place(message, entry = ownUnsent(message)) {
    const { offset } = message;
    let index = log.length;
    while (index > 0 && log[index - 1].offset > offset) index -= 1;
    if (log[index - 1]?.offset === offset) return false;
    if (entry) entry.offset = offset;
    const line = entry?.line ?? shown.newLine(message);
    log.splice(index, 0, { offset, line });
    shown.show(line, log[index + 1]?.line, message);
    return true;
  }

  /** Own messages come back in the order they were sent in, before their ack or, after a loss, without one. */
  function ownUnsent({ from, event, data }) {
    if (from !== here.me || event !== "chat") return undefined;
    return outbox.find((entry) => entry.sent && entry.offset === undefined && entry.text === data?.text);
  }

  function loadEarlier() {
    if (!shown.more || asked) return;
    const question = { id: randomId(), before: floor };
    if (connection.send({ type: "history", limit: PAGE, ...question })) asked = question;
  }

  /** Another user id is another user: leaves, and comes in again under the new name, at the same place in the log. */
  function rename(name) {
    nextUser = name === here.user ? undefined : name;
    settle();
  }

  /** What waits for the outbox: sent again by somebody else, a message might be there twice (M4). */
  function settle() {
    if (outbox.length) return;
    const { name } = connection.status;
    if (leaving || nextUser) connection.leave();
    if (nextUser) {
      here.user = connection.user = nextUser;
      nextUser = undefined;
      tell.onUser();
      if (name === "offline") connection.unplug();
      else if (name !== "left" && !leaving) connection.open();
    }
    leaving = false;
  }

  if (kept?.place.epoch !== undefined) floor = kept.place.offset + 1;
  for (const { id, text } of kept?.unsent ?? []) say(text, id, performance.now());
  shown.onEarlier = loadEarlier;

  return {
    ...{ connection, say, setState, rename },
    nextUser: () => nextUser ?? here.user,
    leave() {
      leaving = true;
      settle();
    },
    keep() {
      const unsent = outbox.map(({ id, text }) => ({ id, text }));
      return { room, user: here.user, place: connection.place, unsent };
    },
  };
}

/** A state with a patch's keys merged into it; `null` removes one (P1). */
function merged(state, patch) {
  const isObject = typeof state === "object" && state !== null && !Array.isArray(state);
  const entries = Object.entries({ ...(isObject ? state : {}), ...patch });
  return Object.fromEntries(entries.filter(([key, value]) => !(key in patch && value === null)));
}

function sameState(a, b) {
  const inOrder = (state) => JSON.stringify(Object.entries(state ?? {}).sort());
  return inOrder(a) === inOrder(b);
}

function randomId() {
  return crypto.getRandomValues(new Uint32Array(3)).reduce((id, part) => id + part.toString(36), "");
}
