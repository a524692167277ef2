// Schemas: what does not fit is neither sent nor handed on.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import type { StandardSchema } from "../../src/index.ts";
import { OWN, fate, heard, member, settled, stored, world } from "./fake.ts";

const schemas = {
  events: { chat: z.object({ text: z.string() }) },
  state: z.object({ x: z.number() }),
};

test("data that does not fit is not sent, and the promise says what is wrong", async (t) => {
  const it = world(t, { schemas });
  const room = await it.enter();
  for (const options of [{}, { ephemeral: true }, { to: ["2"] }]) {
    const error = await room.publish("chat", { text: 7 }, options).then(() => assert.fail(), (reason) => reason);
    assert.equal(error.code, "invalid_data");
    assert.equal(error.retryable, false);
    assert.match(error.message, /chat/);
  }
  assert.deepEqual(it.socket.messages, []);
  void room.publish("chat", { text: "hi" });
  void room.publish("other", { whatever: true });
  assert.equal(it.socket.messages.length, 2);
});

test("data is checked before it is asked whether there is a connection", async (t) => {
  const it = world(t, { schemas });
  const sent = fate(it.room({ enabled: false }).publish("chat", 7));
  await settled();
  assert.equal(sent.is, "invalid_data");
});

test("data that comes and does not fit is not handed on, is told of, and moves the offset on", async (t) => {
  const it = world(t, { schemas });
  const room = await it.enter();
  const got: unknown[] = [];
  const errors = heard(room, "error");
  room.on("chat", (data) => got.push(data));
  room.onAny(({ offset }) => got.push(offset));
  it.socket.tell(stored(1, "old form"), stored(2, { text: "hi" }), stored(3, "any", "other"));
  assert.deepEqual(got, [{ text: "hi" }, 2, 3]);
  assert.deepEqual(errors.map(({ code }) => code), ["invalid_data"]);
  it.socket.tell(stored(4, 0));
  it.socket.end();
  assert.equal((await it.next()).url.searchParams.get("offset"), "4");
});

test("it is checked once, however many hold the room, and handed on as it came", async (t) => {
  let checks = 0;
  const chat = z.object({ text: z.string().transform((text) => (checks++, text.toUpperCase())) });
  const it = world(t, { schemas: { events: { chat } } });
  const rooms = [it.room(), it.room()];
  it.socket.welcome();
  const got: unknown[] = [];
  for (const room of rooms) room.on("chat", (data) => got.push(data));
  it.socket.tell(stored(1, { text: "hi" }));
  assert.equal(checks, 1);
  assert.deepEqual(got, [{ text: "hi" }, { text: "hi" }]);
});

test("the past is checked too", async (t) => {
  const it = world(t, { schemas });
  const room = it.room({ history: 2 });
  const got: unknown[] = [];
  const errors = heard(room, "error");
  room.on("chat", (data) => got.push(data));
  it.socket.welcome({ offset: 2 });
  await settled();
  const messages = [stored(1, "old form"), stored(2, { text: "hi" })];
  it.socket.tell({ type: "history", id: "1", messages, epoch: "e1", more: false });
  await settled();
  const page = room.history();
  it.socket.tell({ type: "history", id: "2", messages, epoch: "e1", more: true });
  assert.deepEqual(await page, { messages: [messages[1]], more: true });
  assert.deepEqual(got, [{ text: "hi" }]);
  assert.equal(errors.length, 2);
});

test("a state of somebody else that does not fit is shown as none", async (t) => {
  const it = world(t, { schemas });
  const room = it.room();
  const errors = heard(room, "error");
  it.socket.welcome({ members: [OWN, member("2", { state: "odd" }), member("3", { state: { x: 1 } })] });
  const states = () => room.members.slice(1).map(({ state }) => state);
  assert.deepEqual(states(), [null, { x: 1 }]);
  assert.equal(errors.length, 1);
  assert.match(errors[0]!.message, /state/);
  it.socket.tell({ type: "states", states: { 2: { x: 2 } }, patches: { 3: { x: "odd" } } });
  assert.deepEqual(states(), [{ x: 2 }, null]);
  it.socket.tell({ type: "join", member: member("4", { state: [] }) }, { type: "states", states: { 2: null } });
  assert.deepEqual(states(), [null, null, null]);
  assert.equal(errors.length, 3, "no state is none that must fit");
});

test("an own state that does not fit is neither shown nor sent, and is told of", async (t) => {
  const it = world(t, { schemas });
  const room = await it.enter({ state: { x: 1 } }, { members: [{ ...OWN, state: { x: 1 } }] });
  await it.pass(1_000);
  const errors = heard(room, "error");
  room.presence.set({ x: "odd" });
  room.presence.update({ x: null });
  assert.deepEqual(room.presence.state, { x: 1 });
  assert.deepEqual(room.self!.state, { x: 1 });
  assert.deepEqual(errors.map(({ code }) => code), ["invalid_data", "invalid_data"]);
  await it.pass(1_000);
  assert.deepEqual(it.socket.messages, []);
  room.presence.update({ x: 2, more: true });
  room.presence.set(null);
  await it.pass(1_000);
  assert.equal(it.socket.messages.length, 2);
});

test("any library will do that knows Standard Schema; one that answers later is told of", async (t) => {
  const handmade: StandardSchema = {
    "~standard": {
      version: 1,
      vendor: "this test",
      validate: (value) => (value === 1 ? { value } : { issues: [{ message: "not one" }, { message: "at all" }] }),
    },
  };
  const later = z.string().refine(async () => true);
  const it = world(t, { schemas: { events: { handmade, later } } });
  const room = await it.enter();
  const error = await room.publish("handmade", 2).then(() => assert.fail(), (reason) => reason);
  assert.match(error.message, /handmade/);
  assert.deepEqual((error.cause as any).issues.map(({ message }: { message: string }) => message), ["not one", "at all"]);
  void room.publish("handmade", 1);
  assert.equal(it.socket.messages.length, 1);
  const asynchronous = await room.publish("later", "x").then(() => assert.fail(), (reason) => reason);
  assert.match(asynchronous.message, /later/);
  assert.ok(asynchronous.cause instanceof Promise, "asynchronous schemas are refused");
  const errors = heard(room, "error");
  room.onAny(() => assert.fail());
  it.socket.tell(stored(1, "x", "later"));
  assert.match(errors[0]!.message, /later/);
});

test("a schema that throws at what somebody sent keeps no other message from anybody", async (t) => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => void rejections.push(reason);
  process.on("unhandledRejection", note);
  t.after(() => process.off("unhandledRejection", note));
  const looks = ({ text }: { text: string }) => text.length > 0;
  const chat: StandardSchema = {
    "~standard": {
      version: 1,
      vendor: "this test",
      validate: (value) => (looks(value as never) ? { value } : { issues: [] }),
    },
  };
  // Zod tries again asynchronously what has thrown, and then the promise is rejected.
  const later = z.any().refine(looks);
  const it = world(t, { schemas: { events: { chat, later } } });
  const room = await it.enter();
  const errors = heard(room, "error");
  const got: unknown[] = [];
  room.onAny(({ offset }) => got.push(offset));
  it.socket.tell(stored(1, {}), stored(2, {}, "later"), stored(3, { text: "hi" }));
  assert.deepEqual([got, errors.map(({ code }) => code)], [[3], ["invalid_data", "invalid_data"]]);
  assert.ok(errors[0]!.cause instanceof TypeError);
  const sent = fate(room.publish("chat", null));
  await settled();
  assert.deepEqual([sent.is, rejections], ["invalid_data", []]);
});

test("R6: behind a page of the history of which nothing fits comes the next one that does", async (t) => {
  const it = world(t, { schemas });
  const room = await it.enter();
  const fits = (offset: number) => stored(offset, { text: "hi" });
  /** Answers the last question with a page, and tells which one it was. */
  const answer = async (messages: object[], more: boolean) => {
    const { id, type, ...range } = it.socket.messages.at(-1);
    it.socket.tell({ type: "history", id, messages, epoch: "e1", more });
    await settled();
    return range;
  };
  const back = fate(room.history({ limit: 2 }));
  assert.deepEqual(await answer([stored(7), stored(8)], true), { limit: 2 });
  assert.deepEqual(await answer([fits(5), stored(6)], true), { limit: 2, before: 7 });
  assert.deepEqual(back.is, { messages: [fits(5)], more: true });

  const forth = fate(room.history({ after: 0, before: 9, limit: 2 }));
  assert.deepEqual(await answer([stored(1), stored(2)], true), { after: 0, before: 9, limit: 2 });
  assert.deepEqual(await answer([stored(3), stored(4)], false), { after: 2, before: 9, limit: 2 });
  assert.deepEqual(forth.is, { messages: [], more: false }, "or the end");
});
