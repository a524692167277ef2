// What a client makes of each close code (E2), and what it tells of it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { heard, settled, why, world } from "./fake.ts";

type Next = "soon" | "fresh token" | "slowly" | "never";

/** The class of a close code, as the table of E2 has it. */
const next = (code: number): Next =>
  code < 4000 ? "soon" : code < 4100 ? "fresh token" : code < 4300 ? "soon" : code < 4500 ? "slowly" : "never";

/** The table of errors, as the page has it. */
const page = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
const errors = [...page.matchAll(/^\| `(\w+)` \| \d+ \| (\d*) \| (yes|no) \| (.*?) \| (.*?) \|$/gm)].map(
  ([, code, close, retryable, message, hint]) =>
    ({ code: code!, close: Number(close), retryable: retryable === "yes", message: message!, hint: hint! }),
);
const closing = errors.filter(({ close }) => close);

test("E2: the table of the page is read", () => {
  assert.equal(errors.length, 31);
  assert.ok(closing.length > 20);
});

for (const { code, close, ...error } of closing) {
  // Those get the close code only.
  const framed = close < 4504 || close > 4506;
  for (const when of ["a first connection", "a live connection"]) {
    test(`E2: ${code} (${close}) on ${when} means ${next(close)}`, async (t) => {
      let tokens = 0;
      const it = world(t, { token: async () => `t${++tokens}` });
      const room = it.room();
      const told = heard(room, "error");
      await settled();
      if (when === "a live connection") {
        it.socket.welcome();
        await it.pass(11_000);
      }
      if (framed) it.socket.tell({ type: "error", code, ...error });
      // A refusal has the error's code as reason, and a room its text.
      it.socket.end(close, when === "a live connection" ? error.message : code);
      const last = room.error!;
      assert.equal(last.code, code);
      if (framed) assert.deepEqual([last.message, last.retryable, last.hint], [error.message, error.retryable, error.hint]);
      else assert.equal(last.retryable, false);

      const stopped = next(close) === "never";
      assert.equal(room.status === "disconnected", stopped);
      assert.equal(told.includes(last), stopped, "who is stopped is told why");
      await it.pass(250);
      assert.equal(it.sockets.length, stopped || next(close) === "slowly" ? 1 : 2);
      await it.pass(9_740);
      if (next(close) === "slowly") assert.equal(it.sockets.length, 1);
      await it.pass(30_000);
      assert.equal(it.sockets.length > 1, !stopped);
      if (!stopped) assert.equal(it.socket.token, `t${it.sockets.length}`, "a new token each time");
    });
  }
}

test("E2: codes that are not listed are treated by their range", async (t) => {
  const cases = [1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, 3000, 3999, 4002, 4099, 4104, 4299, 4302, 4499, 4500, 4599, 4999];
  for (const code of cases) {
    for (const live of [false, true]) {
      const it = world(t);
      const room = it.room();
      if (live) it.socket.welcome();
      it.socket.end(code);
      await settled();
      // Without a token there is no fresh one.
      const stopped = next(code) === "never" || (next(code) === "fresh token" && !live);
      assert.equal(room.status, stopped ? "disconnected" : live ? "reconnecting" : "connecting", `${code}`);
      assert.equal(why(room), "connection_lost");
      assert.match(room.error!.message, new RegExp(`rooms.example/room/lobby \\(${code}\\)`));
      assert.equal(room.error!.retryable, code < 4500);
      await it.pass(250);
      assert.equal(it.sockets.length, stopped || next(code) === "slowly" ? 1 : 2, `${code}`);
      t.mock.restoreAll();
    }
  }
});

test("E2: the reason of a close without an error is its message", async (t) => {
  const cases: [code: number, name: string, reason: string][] = [
    [4504, "replaced", "replaced"],
    [4505, "removed", "Please be kind."],
    [4506, "room_deleted", "The room was deleted."],
    [4567, "connection_lost", "Of a newer server."],
    [1001, "connection_lost", "going away"],
  ];
  for (const [code, name, reason] of cases) {
    const it = world(t);
    const room = await it.enter();
    it.socket.end(code, reason);
    assert.deepEqual([why(room), room.error!.message], [name, reason]);
    t.mock.restoreAll();
  }
});

test("E2: an error about a message of ours, or one long before, is not taken for the reason", async (t) => {
  const it = world(t);
  const room = await it.enter();
  const error = { type: "error", code: "forbidden", message: "No.", retryable: false };
  it.socket.tell({ ...error, id: "7" });
  it.socket.end(1012);
  assert.equal(why(room), "connection_lost");
  room.connect();
  it.socket.welcome();
  it.socket.tell(error, { type: "ack", id: "1" });
  it.socket.end(1012);
  assert.equal(why(room), "connection_lost");
  room.connect();
  it.socket.welcome();
  it.socket.tell(error);
  it.socket.end(1006);
  assert.equal(why(room), "connection_lost");
  room.connect();
  it.socket.end(4501);
  assert.equal(why(room), "connection_lost", "nor one of an earlier socket");
});

test("E2: two fresh tokens in a row that are refused are the end", async (t) => {
  let tokens = 0;
  const it = world(t, { token: async () => `t${++tokens}` });
  const room = it.room();
  const told = heard(room, "error");
  await settled();
  it.socket.refuse(4000, { code: "invalid_token" });
  assert.equal(room.status, "connecting");
  assert.deepEqual(told, []);
  await it.pass(250);
  assert.equal(it.socket.token, "t2");
  it.socket.refuse(4001, { code: "token_expired" });
  assert.equal(room.status, "disconnected");
  assert.deepEqual(told.map(({ code, hint }) => [code, hint]), [["token_expired", "Do."]]);
});

test("E2: a connection between two refusals, or connect() after the end, counts anew", async (t) => {
  const it = world(t, { token: async () => "t" });
  const room = it.room();
  await settled();
  for (let round = 0; round < 3; round++) {
    it.socket.refuse(4000, { code: "invalid_token" });
    assert.equal(room.status === "disconnected", false);
    (await it.next()).welcome();
    await it.pass(1_000);
    // Its end is no refusal: the token was good.
    it.socket.end(4001);
    assert.equal(room.status, "reconnecting");
    await it.next();
  }
  it.socket.refuse(4000, { code: "invalid_token" });
  (await it.next()).end(1006);
  (await it.next()).refuse(4000, { code: "invalid_token" });
  assert.equal(room.status, "disconnected", "nothing but a welcome counts between");
  room.connect();
  await settled();
  it.socket.refuse(4000, { code: "invalid_token" });
  assert.equal(room.status, "reconnecting");
});

test("E2: a token that cannot be had anew stops at the first refusal", async (t) => {
  const it = world(t, { token: "always the same" });
  const room = it.room();
  await settled();
  assert.equal(it.socket.token, "always the same");
  it.socket.refuse(4001, { code: "token_expired" });
  assert.equal(room.status, "disconnected");
  assert.equal(why(room), "token_expired");
});

test("E2: and so does none at all", async (t) => {
  const it = world(t);
  const room = it.room();
  it.socket.refuse(4000, { code: "invalid_token" });
  assert.equal(why(room), "invalid_token");
  assert.equal(room.status, "disconnected");
});
