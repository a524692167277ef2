// A reader that does not read: what waits for it has a bound, and the others notice nothing.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import WebSocket from "ws";
import { sample } from "./exposition.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const server = await startServer(test, { vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } });

function open(t, user) {
  const address = `${server.url.replace("http", "ws")}/room/slow?user=${user}`;
  const socket = new WebSocket(address, ["roomful.v1"], { perMessageDeflate: false, closeTimeout: 100 });
  const seen = { socket, messages: 0, acks: 0, code: undefined };
  socket.on("message", (text) => {
    for (const { type } of [JSON.parse(text)].flat()) {
      seen.messages += type === "message";
      seen.acks += type === "ack";
    }
  });
  socket.on("close", (code) => {
    seen.code = code;
  });
  t.after(() => socket.terminate());
  return seen;
}

test("e2 a connection that does not read is closed with 4101, and nobody else is slower or loses anything", async (t) => {
  const [slow, busy] = [open(t, "slow"), open(t, "busy")];
  await until(() => slow.socket.readyState === 1 && busy.socket.readyState === 1, "both to be connected");
  slow.socket.pause();
  const data = "x".repeat(60_000);
  let sent = 0;
  const closed = () => /"user":"slow","error":"too_slow"/.test(server.log);
  while (!closed() && sent < 1_000) {
    // One at a time: the next when this one has come back.
    busy.socket.send(JSON.stringify({ type: "publish", event: "e", data, ephemeral: true, id: String(sent++) }));
    await until(() => busy.acks === sent || closed(), "the next message to pass");
  }
  assert.ok(closed(), `still there after ${sent} messages of 60 kB`);
  await until(() => busy.messages === sent, "the other one to have everything");
  slow.socket.resume();
  await until(() => slow.code !== undefined, "the slow one to learn of it");
  assert.equal(slow.code, 4101);
  assert.equal(busy.socket.readyState, 1);
});

/** So many messages of 500 kB are stored: less than the 8 MiB that are replayed at most. */
const STORED = 16;

/** A room with these messages, and a way to let one more reader wait there that does not read. */
async function large(t, vars = {}) {
  const limits = { HISTORY_BYTES: 32 * 1024 * 1024, MAX_MESSAGE_BYTES: 1024 * 1024, ...vars };
  const full = await startServer(t, { vars: { ...limits, ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } });
  const room = `${full.url}/room/large`;
  const message = { room: "large", event: "e", data: "x".repeat(500_000) };
  let epoch;
  for (let sent = 0; sent < STORED; sent += 2) {
    // A megabyte at a time does not wait, though it takes its turn among the commits.
    const body = JSON.stringify({ messages: [message, message] });
    const answer = await fetch(`${full.url}/publish`, { method: "POST", body });
    ({ epoch } = (await answer.json()).results[0]);
  }
  const connect = (query, session) => {
    const protocols = session ? ["roomful.v1", `roomful.session.${session}`] : ["roomful.v1"];
    const socket = new WebSocket(`${room.replace("http", "ws")}?${query}`, protocols, {
      perMessageDeflate: false,
      closeTimeout: 100,
    });
    t.after(() => socket.terminate());
    return socket;
  };
  const hold = async (user) => {
    const socket = connect(`user=${user}&epoch=${epoch}&offset=0`);
    let open = false;
    socket.on("open", () => {
      socket.pause();
      open = true;
    });
    await until(() => open, "one who does not read");
    // Once this is answered, the room has sent that one what it is going to.
    await fetch(room);
  };
  return { room, epoch, connect, hold };
}

/**
 * Somebody who reads all that was missed, up to an offset, and comes back where it broke off. `session` is what the
 * earlier connection was told, if there was one. Whether it broke off is answered: one may be closed with the last
 * message as well, who then has everything at once.
 */
async function readAll({ epoch, connect }, user, last, session) {
  const seen = { offsets: [], told: [], cut: [] };
  let times = 0;
  for (; times < 4 && seen.offsets.length < last; times++) {
    const socket = connect(`user=${user}&epoch=${epoch}&offset=${seen.offsets.at(-1) ?? 0}`, session);
    let ended = false;
    socket.on("message", (text) => {
      for (const { type, offset, recovered, code } of [JSON.parse(text)].flat()) {
        if (type === "welcome") assert.equal(recovered, true);
        if (type === "message") seen.offsets.push(offset);
        if (type === "error") seen.told.push(code);
      }
    });
    socket.on("close", (code) => {
      ended = true;
      if (code === 4101) seen.cut.push("too_slow");
    });
    await until(() => ended || seen.offsets.length >= last, "the end of what was missed");
    // The reason stands in front of the close, which may still be under way when the last message is here.
    await until(() => ended || seen.told.length === seen.cut.length, "the close that follows its reason");
    socket.close(1000);
  }
  assert.deepEqual(
    seen.offsets,
    Array.from({ length: last }, (_, index) => index + 1),
  );
  assert.deepEqual(seen.told, seen.cut, "it was told why");
  return times > 1;
}

// A replay alone is no more than may wait for one reader. It is too much while others do not read: 32 MiB for all of them.
test("r2_e3 when more is missed than may wait for readers, it breaks off without a gap, and goes on", async (t) => {
  const place = await large(t);
  let broke = false;
  for (let others = 1; others < 20 && !broke; others++) {
    await place.hold(`other${others}`);
    broke = await readAll(place, `ana${others}`, STORED);
  }
  assert.ok(broke, "it was never too slow");
});

/** How a socket of which much is unread comes to be closed, with its network left open. */
const ENDS = {
  "the room": [(socket) => socket.send(Buffer.from([0]))],
  "its client": [(socket) => socket.close(1000)],
  "half of its TCP connection": [(socket) => socket._socket.end()],
  "the room, and its client then": [(socket) => socket.send(Buffer.from([0])), (socket) => socket._socket.end()],
};

test("e3 what a user has left unread counts, whoever closed the sockets, until it is gone", async (t) => {
  const limits = { HISTORY_BYTES: 32 * 1024 * 1024, MAX_MESSAGE_BYTES: 1024 * 1024, MAX_CONNECTIONS_PER_USER: 500 };
  const vars = { ...limits, GRACE_SECONDS: 0, ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" };
  const large = await startServer(t, { vars });
  const room = `${large.url}/room/large`;
  const data = "x".repeat(500_000);
  let epoch;
  for (let sent = 0; sent < 15; sent++) {
    const answer = await fetch(`${room}/publish`, { method: "POST", body: JSON.stringify({ event: "e", data }) });
    ({ epoch } = await answer.json());
  }
  const nobody = async () => (await (await fetch(room)).json()).occupancy.connections === 0;
  const closed = async () => sample(await (await fetch(`${room}/metrics`)).text(), "roomful_room_closed_sockets");
  const open = (query) => {
    const options = { perMessageDeflate: false, closeTimeout: 600_000 };
    const socket = new WebSocket(`${room.replace("http", "ws")}?${query}`, ["roomful.v1"], options);
    // The room's log may tell of a refusal before the handshake is here: then it is an error to end it.
    socket.on("error", () => {});
    t.after(() => socket.terminate());
    return socket;
  };
  for (const [number, [who, [first, then]]] of Object.entries(ENDS).entries()) {
    const refusals = () => large.log.match(/"error":"user_full"/g)?.length ?? 0;
    const before = refusals();
    const sockets = [];
    while (refusals() === before) {
      // 32 MiB, beside what the kernel has taken.
      assert.ok(sockets.length < 40, `she leaves as much as she likes when ${who} closes`);
      const socket = open(`user=eve${number}&epoch=${epoch}&offset=0`);
      sockets.push(socket);
      let left;
      // At once: what was missed comes behind the handshake.
      socket.on("open", () => {
        socket.pause();
        first(socket);
        left = true;
      });
      await until(async () => refusals() > before || (left && (await nobody())), "the room to see its end");
      if (!then || refusals() > before) continue;
      then(socket);
      await until(async () => (await closed()) === 0, "the room to see that it has ended");
    }
    for (const socket of sockets) socket.terminate();
    await until(async () => {
      const socket = open(`user=eve${number}`);
      const [text] = await once(socket, "message");
      socket.terminate();
      return [JSON.parse(text)].flat()[0].type === "welcome";
    }, "her to be let in again");
    await until(nobody, "her to be gone");
  }
});

test("r2_e3 nor does what waits for the tick come behind what was withheld", async (t) => {
  const place = await large(t, { COMMITS_PER_SECOND: 1 });
  let broke = false;
  for (let others = 1; others < 20 && !broke; others++) {
    await place.hold(`other${others}`);
    const user = `ana${others}`;
    const first = place.connect(`user=${user}`);
    let welcome;
    first.on("message", (text) => {
      welcome ??= [JSON.parse(text)].flat()[0];
    });
    await until(() => welcome, "the welcome");
    first.send(JSON.stringify({ type: "publish", event: "e", id: "last" }));
    const last = STORED + others;
    const stored = new RegExp(`kind="stored"\\} ${last}$`, "m");
    const taken = async () => stored.test(await (await fetch(`${place.room}/metrics`)).text());
    await until(taken, "the last message to wait for its commit");
    broke = await readAll(place, user, last, welcome.session);
  }
  assert.ok(broke, "it was never too slow");
});
