// The frames that the server's tests compare byte for byte, read and written by the client.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ErrorCode, Message, PublishOptions, Room } from "../../src/index.ts";
import type { ClientMessage, ServerMessage } from "../../src/wire.ts";
import { NOW, OWN, heard, member, settled, told, unlisted, world } from "./fake.ts";
import type { FakeSocket } from "./fake.ts";

const fixtures = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../tests/fixtures/${name}.json`, import.meta.url), "utf8"));

interface FromServer {
  name: string;
  rule: string;
  type: string;
  text: string;
}
const fromServer: FromServer[] = fixtures("server-messages");
// What only HTTP has is no frame.
const HTTP = ["http_error", "published", "results", "presence", "room", "closed"];
const frames = fromServer.filter(({ type }) => !HTTP.includes(type));

/** What a frame does to a room in which nothing has happened yet, and in which the first request got the id `m1`. */
type Effect = (room: Room, socket: FakeSocket, frame: FromServer) => Promise<void> | void;

const message: Effect = (room, socket, { text }) => {
  const got: Message[] = [];
  const data: unknown[] = [];
  room.onAny((found) => got.push(found));
  room.on(JSON.parse(text).event, (found) => data.push(found));
  socket.frame(text);
  assert.deepEqual(got, [JSON.parse(text)]);
  assert.deepEqual(data, [JSON.parse(text).data]);
};

const error: Effect = (room, socket, { text }) => {
  const errors = heard(room, "error");
  socket.frame(text);
  const { code, message, retryable, retry_after, hint } = JSON.parse(text);
  assert.deepEqual(
    errors.map((found) => [found.code, found.message, found.retryable, found.retryAfter, found.hint]),
    [[code, message, retryable, retry_after, hint]],
  );
};

const states: Effect = (room, socket, { name, text }) => {
  socket.frame(text);
  const expected: Record<string, unknown> = {
    states: { 1: { x: 2 }, 2: null, z: {} },
    "states without patches": { 1: 3, 2: null, z: { y: 1 } },
    "patches alone": { 1: { x: 3, y: 1 }, 2: {}, z: { y: 1 } },
  };
  const found = room.members.filter((member) => member !== room.self).map(({ connection, state }) => [connection, state]);
  assert.deepEqual(Object.fromEntries(found), expected[name]);
};

const effects: Record<string, Effect> = {
  message,
  error,
  states,
  skip: async (room, socket, { text }) => {
    room.onAny(() => assert.fail());
    socket.frame(text);
    // What comes again is passed over.
    socket.tell({ type: "message", event: "chat", data: 1, user: "bob", offset: 42 });
  },
  ack: async (room, socket, { text }) => {
    const { id, offset } = JSON.parse(text);
    const sent = room.publish("chat", 1);
    const answer = text.replace(JSON.stringify(id), JSON.stringify(socket.messages.at(-1).id));
    socket.frame(text);
    socket.frame(answer);
    assert.equal((await sent).offset, offset);
  },
  join: (room, socket, { text }) => {
    const joined = heard(room, "join");
    socket.frame(text.replace('"connection":"1"', '"connection":"77"'));
    assert.deepEqual(joined, [{ ...JSON.parse(text).member, connection: "77" }]);
  },
  leave: (room, socket, { text }) => {
    const left = heard(room, "leave");
    socket.frame(text);
    assert.deepEqual(left.map(({ connection }) => connection), ["1"]);
  },
  members: (room, socket, { text }) => {
    socket.frame(text);
    assert.deepEqual(room.members, JSON.parse(text).members);
  },
  occupancy: (room, socket, { text }) => {
    const counts = heard(room, "occupancy");
    socket.frame(text);
    const { type, ...counted } = JSON.parse(text);
    assert.deepEqual([counts, room.members], [[counted], []]);
  },
  auth: (room, socket, { text }) => {
    socket.frame(text);
    assert.deepEqual(room.can, JSON.parse(text).can);
  },
  history: async (room, socket, { text }) => {
    const asked = room.history();
    const { id } = socket.messages.at(-1);
    socket.frame(text);
    socket.frame(JSON.stringify({ ...JSON.parse(text), id }));
    const { messages, more } = JSON.parse(text);
    assert.deepEqual(await asked, { messages, more });
  },
};

for (const frame of frames) {
  test(`${frame.rule}: ${frame.name}`, async (t) => {
    const it = world(t);
    if (frame.type === "welcome") {
      const room = it.room();
      const errors = told(room, "error");
      const { occupancy = { connections: 0, users: 0 }, members = [], ...rest } = JSON.parse(frame.text);
      // That of a stream has no session and no occupancy, and never comes over a WebSocket.
      it.socket.frame(frame.rule === "H7" ? JSON.stringify({ ...rest, session: "s", occupancy }) : frame.text);
      assert.equal(room.status, "connected");
      assert.deepEqual(room.members, members);
      assert.deepEqual(room.can, rest.can);
      assert.deepEqual(room.occupancy, occupancy);
      assert.equal(room.self?.connection, rest.connection);
      assert.deepEqual(room.self?.user, rest.user);
      it.socket.end();
      assert.equal((await it.next()).url.search, `?epoch=${rest.epoch}&offset=${rest.offset}`);
      assert.deepEqual(errors, []);
      return;
    }
    const own = member("2n9c", { name: "bob", at: NOW });
    const others = [member("1", { state: { x: 1, y: 1 } }), member("2"), member("z", { state: { y: 1 }, at: NOW })];
    const room = await it.enter({}, { connection: own.connection, user: own.user, members: [own, ...others] });
    const effect = effects[frame.type];
    assert.ok(effect, `${frame.type} is new: say what the client makes of it`);
    await effect(room, it.socket, frame);
    assert.equal(room.status, "connected");
  });
}

// What the client sends.

interface FromClient {
  name: string;
  rule: string;
  frame: string;
  expect: unknown;
}
const valid: Record<string, unknown>[] = (fixtures("client-messages") as FromClient[])
  .filter(({ expect }) => expect === "ok")
  // Names of fields and numbers that a client never writes.
  .filter(({ name }) => !/escaped key|2\^53|unknown field|without data|levels/.test(name))
  .map(({ frame }) => JSON.parse(frame));

/** What a message is called by the client's own functions. */
async function send(room: Room, { type, id: _, ...rest }: Record<string, any>) {
  if (type === "publish") {
    const { event, data, ...options } = rest;
    void room.publish(event, data, options as PublishOptions);
  } else if (type === "history") void room.history(rest);
  else if ("state" in rest) room.presence.set(rest["state"]);
  else room.presence.update(rest["patch"]);
}

for (const wanted of valid.filter(({ type }) => type !== "auth")) {
  test(`C1: the client sends ${JSON.stringify(wanted).slice(0, 120)}`, async (t) => {
    const it = world(t);
    const room = await it.enter({}, { members: [OWN] });
    await it.pass(100);
    await send(room, wanted);
    const { id: _, ...sent } = it.socket.messages.at(-1);
    const { id: __, ...expected } = wanted;
    assert.deepEqual(sent, expected);
  });
}

test("T5: the client sends a new token as the fixtures have it", async (t) => {
  const wanted = valid.find(({ type }) => type === "auth")!;
  const it = world(t, { token: () => "aaa.bbb.ccc" });
  await it.enter({}, { expires_in: 10_000 });
  await it.pass(9_000);
  assert.deepEqual(it.socket.messages, [{ ...wanted, id: "auth" }]);
});

test("the types know every kind of frame there is, and every field of it", async () => {
  // An object for each: compiled, because each field is named, and compared with the frames.
  const known: { [T in ServerMessage["type"]]: Record<keyof Extract<ServerMessage, { type: T }>, true> } = {
    welcome: {
      type: true, protocol: true, room: true, connection: true, session: true, user: true, can: true, expires_in: true,
      epoch: true, offset: true, recovered: true, members: true, occupancy: true, ping: true, limits: true,
    },
    message: { type: true, event: true, data: true, user: true, from: true, offset: true, at: true, private: true },
    skip: { type: true, offset: true },
    ack: { type: true, id: true, offset: true },
    join: { type: true, member: true },
    leave: { type: true, connection: true, user: true },
    states: { type: true, states: true, patches: true },
    members: { type: true, members: true },
    occupancy: { type: true, connections: true, users: true },
    auth: { type: true, expires_in: true, can: true },
    history: { type: true, id: true, messages: true, epoch: true, more: true },
    error: { type: true, id: true, code: true, message: true, retryable: true, retry_after: true, hint: true },
  };
  const seen: Record<string, Set<string>> = {};
  for (const { type, text } of frames) {
    for (const field of Object.keys(JSON.parse(text))) (seen[type] ??= new Set()).add(field);
  }
  const sorted = (all: Record<string, Iterable<string>>) =>
    Object.fromEntries(Object.entries(all).map(([type, fields]) => [type, [...fields].sort()]));
  assert.deepEqual(
    sorted(seen),
    sorted(Object.fromEntries(Object.entries(known).map(([type, fields]) => [type, Object.keys(fields)]))),
  );
  const sends: { [T in ClientMessage["type"]]: true } = { publish: true, state: true, history: true, auth: true };
  assert.deepEqual([...new Set(valid.map(({ type }) => type))].sort(), Object.keys(sends).sort());
  await settled();
});

test("E1: every error of the page's table has a code that the types name", () => {
  const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
  const types = readFileSync(new URL("../../src/error.ts", import.meta.url), "utf8");
  const codes = [...page.matchAll(/^\| `([a-z_]+)` \| \d+ \|/gm)].map(([, code]) => code as ErrorCode);
  assert.equal(codes.length, 31);
  for (const code of codes) assert.match(types, new RegExp(`^  \\| "${code}"$`, "m"));
});

test("a crowded room's welcome has no members, and is read as well", async (t) => {
  const it = world(t);
  const room = it.room();
  it.socket.tell(unlisted());
  assert.equal(room.status, "connected");
});
