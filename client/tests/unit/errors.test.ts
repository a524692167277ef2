// What goes wrong, and who is told of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RoomfulError } from "../../src/index.ts";
import { heard, refusal, settled, why, world } from "./fake.ts";

test("what nobody listens to is written to the console, with what to do about it", async (t) => {
  const it = world(t);
  const written = t.mock.method(console, "warn", () => {});
  const room = it.room();
  it.socket.refuse(4501, { code: "forbidden_origin" });
  assert.deepEqual(written.mock.calls.map(({ arguments: given }) => given), [[room.error, "Do."]]);
  assert.match(`${room.error}`, /RoomfulError: It is forbidden_origin/);
});

test("a token that cannot be had is written to the console each time, with the room for which it was", async (t) => {
  const it = world(t, { token: () => Promise.reject(new Error("no network")) });
  const written = t.mock.method(console, "warn", () => {});
  const room = it.room();
  await it.pass(2_000);
  assert.ok(written.mock.callCount() > 1);
  const [error, place] = written.mock.calls[0]!.arguments;
  assert.match(`${error}`, /No token: Error: no network/);
  assert.equal(place, "lobby");
  assert.equal(why(room), "auth_failed");
});

test("what one of the holders listens to is not", async (t) => {
  const it = world(t);
  const [room] = [it.room(), it.room()];
  const errors = heard(room, "error");
  it.socket.welcome();
  void room.publish("chat", 1);
  it.socket.tell(refusal("1", "forbidden", false));
  await settled();
  assert.equal(errors.length, 1);
  assert.deepEqual(it.warnings, []);
});

test("a connection that is lost is nothing to write of: it comes back by itself", async (t) => {
  const it = world(t);
  await it.enter();
  it.socket.end();
  (await it.next()).welcome({ recovered: true });
  assert.deepEqual(it.warnings, []);
});

test("an error is one of this package, and tells what the server told", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const [error] = await Promise.all([
    room.publish("chat", 1, { to: ["2"] }).catch((error: unknown) => error),
    it.socket.tell(refusal("1", "rate_limited", true, 100)),
  ]);
  assert.ok(error instanceof RoomfulError);
  const { name, code, message, retryable, hint, retryAfter } = error;
  assert.deepEqual({ name, code, message, retryable, hint, retryAfter }, {
    name: "RoomfulError",
    code: "rate_limited",
    message: "It is rate_limited.",
    retryable: true,
    hint: "Do.",
    retryAfter: 100,
  });
});
