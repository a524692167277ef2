// What passes on a connection, in a sentence each. The ids are those of the rules in docs/protocol.md.

const sent = {
  connect: ({ path, protocols }) =>
    protocols[1]
      ? ["Comes back: the session secret brings its place, the offset what was missed.", "R1"]
      : path.includes("epoch=")
        ? ["Comes in anew, and asks for what was stored after the offset.", "R2"]
        : ["Opens a WebSocket in the room.", "C1"],
  close: ({ code }) =>
    code === 1000
      ? ["A normal close means to leave: the others see it at once.", "R4"]
      : ["Closes as a lost network does: for a grace the room keeps the place, and nobody sees it go.", "R4"],
  ping: () => ["Asks whether the other side is there. The runtime answers; the room need not wake.", "C3"],
  publish: ({ ephemeral, to }) =>
    to
      ? ["Publishes to some people only, without storing it.", "M3"]
      : ephemeral
        ? ["Publishes to whoever is here now, without storing it.", "M2"]
        : ["Publishes: the room stores it, then hands it to all. Sent again with this id, it counts once.", "M1 M4"],
  state: ({ patch }) =>
    patch
      ? [`Changes ${Object.keys(patch).join(" and ")} in what others see of this connection. Null removes.`, "P1"]
      : ["Sets all that others see of this connection: what the room knows differs.", "P1 R5"],
  history: ({ limit, before }) => [`Asks for the last ${limit} stored messages before offset ${before}.`, "R6"],
  auth: () => ["Replaces the token before the old one ends.", "T5"],
};

const received = {
  welcome({ recovered, connection, offset, members }) {
    const id = `connection ${connection}`;
    if (recovered) return [`Gives ${id} its place. All missed messages follow, in order, each once.`, "R2"];
    if (recovered === false) return [`Lets in ${id}. What was missed is not replayed: begin at the end.`, "R3"];
    const who = members ? `Members: ${members.length}.` : "Too many are here to be listed.";
    return [`Lets in ${id}. ${who} The last message has offset ${offset}.`, "C2"];
  },
  message({ offset, from, private: alone }, me) {
    const whose = from === me ? "This connection's own message" : "A message";
    if (alone) return [`${whose} for some people only: not stored, never replayed.`, "M3"];
    if (offset === undefined) return [`${whose} for whoever is here now: not stored, so without an offset.`, "M2"];
    return [`${whose}, stored with offset ${offset}: everybody gets all of them in this order.`, "M1"];
  },
  ack: ({ offset }) =>
    offset === undefined
      ? ["The ephemeral publish with this id was taken.", "M4"]
      : [`The publish with this id is durable, with offset ${offset}: no need to send it again.`, "M4 M5"],
  skip: ({ offset }) => [`Message ${offset} is not for this connection. So offsets have no gaps.`, "M3"],
  states({ states, patches }, me) {
    const ids = Object.keys({ ...states, ...patches });
    const own = ids.includes(me) ? ", this one included" : "";
    return [`What changed within a tick in the states of connections: ${ids.length}${own}.`, "P2"];
  },
  join: ({ member }) => [`${member.user.id} came in, as connection ${member.connection}.`, "P2"],
  leave: ({ user, connection }) => [`Connection ${connection} of ${user} left, or its grace is over.`, "P2 R4"],
  members: () => ["Few enough are here again to be listed.", "P4"],
  occupancy: ({ connections }) => [`Too many are here to be listed: ${connections}.`, "P4"],
  history({ messages, more }) {
    return [`Older messages, oldest first: ${messages.length}. There are ${more ? "more" : "none before"}.`, "R6"];
  },
  auth: () => ["The new token counts from now on.", "T5"],
  error: ({ message, hint, retryable }) => [`${message} ${retryable ? "It may succeed later." : (hint ?? "")}`, "E1"],
  pong: () => ["The other side is there.", "C3"],
  close({ code, reason }) {
    if (code === 4504) return ["A newer connection of the same session took over.", "R1"];
    if (code === 4505) return ["An administrator closed the connection: stop.", "H4"];
    if (code === 4506) return ["The room was deleted, with all that it had. Whoever comes next begins anew.", "H5"];
    const token = code >= 4000 && code < 4100;
    const next = code >= 4500 ? "stop" : code >= 4300 ? "come back slowly" : token ? "get a new token" : "come back";
    return [`Closed with ${code} ${reason}, which means: ${next}.`, "E2"];
  },
};

/** A sentence about a message, and the ids of its rules. `me` is the own connection's id. */
export function explain(message, wasSent, me) {
  const known = wasSent ? sent : received;
  if (Object.hasOwn(known, message.type)) return known[message.type](message, me);
  return ["A type that this page does not know. Clients ignore such messages.", "C5"];
}
