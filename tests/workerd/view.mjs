// Who is here, as one client is told: each change must fit what was there.

export class View {
  /** Connection to { user, state }. */
  #members = new Map();
  #own;
  #fault;

  /** `fault` is called with what is wrong. */
  constructor(fault) {
    this.#fault = fault;
  }

  get size() {
    return this.#members.size;
  }

  stateOf(connection) {
    return this.#members.get(connection)?.state;
  }

  /** As text that can be compared. */
  get text() {
    return inOrder([...this.#members]);
  }

  /** Replaces all that was there; `own` is the connection that must be among them, if there is one. */
  list(members, own = this.#own) {
    this.#own = own;
    this.#members = new Map(entries(members));
    if (this.#members.size !== members.length) this.#fault("p3 somebody is listed twice");
    if (own && !this.#members.has(own)) this.#fault("c2 the list lacks oneself");
  }

  /** A message about presence; others are none of its business. */
  take(message) {
    switch (message.type) {
      case "members":
        return this.list(message.members);
      case "join":
        return this.#join(message.member);
      case "leave":
        return this.#leave(message);
      case "states":
        return this.#states(message);
    }
  }

  #join({ connection, user, state }) {
    if (this.#members.has(connection)) this.#fault(`p5 ${user.id} joins, who is here`);
    if (connection === this.#own) this.#fault("p2 is told of its own join");
    this.#members.set(connection, { user: user.id, state });
  }

  #leave({ connection, user }) {
    if (connection === this.#own) this.#fault("p2 is told of its own leave");
    if (!this.#members.delete(connection)) this.#fault(`p5 ${user} leaves, who is not here`);
  }

  #states({ states = {}, patches = {} }) {
    for (const [connection, state] of Object.entries(states)) this.#change(connection, () => state);
    for (const [connection, patch] of Object.entries(patches)) {
      this.#change(connection, (state) => merged(state, patch));
    }
  }

  #change(connection, change) {
    const member = this.#members.get(connection);
    if (member) member.state = change(member.state);
    else this.#fault(`p2 a state of ${connection}, who is not here`);
  }
}

/** A list of members as the text of a view that holds just them. */
export const asText = (members) => inOrder(entries(members));

const entries = (members) => members.map(({ connection, user, state }) => [connection, { user: user.id, state }]);
const inOrder = (list) => JSON.stringify(list.sort(([a], [b]) => (a < b ? -1 : 1)));

/** P1. */
function merged(state, patch) {
  const whole = state !== null && typeof state === "object" && !Array.isArray(state) ? { ...state } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete whole[key];
    else whole[key] = value;
  }
  return whole;
}
