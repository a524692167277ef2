// The sockets of a room as the room numbers them, on a stand-in for the object's state.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.WebSocketRequestResponsePair = class {};
const { Host } = await import("../../src/worker/host.js");

function socket(attachment) {
  const sent = [];
  return {
    sent,
    readyState: WebSocket.CLOSING,
    deserializeAttachment: () => attachment,
    send: (text) => sent.push(text),
    close() {},
    addEventListener(_, lose) {
      this.lose = lose;
    },
  };
}

const lines = (restored) => new TextDecoder().decode(restored).split("\n");

test("c3 a room that could not be restored at first numbers its sockets anew", () => {
  const [ana, bob, eve] = ["ana", "bob", "eve"].map(socket);
  let here = [ana, bob, eve];
  const host = new Host({ setWebSocketAutoResponse() {}, getWebSockets: () => here });
  host.restore();
  // Storage could not be read; meanwhile one has gone.
  here = [bob, eve];
  assert.deepEqual(lines(host.restore()), ["bob", "eve"]);
  assert.deepEqual([bob, eve].map((one) => host.linkOf(one)), [1, 2]);
  host.send(Uint32Array.of(2), "for eve");
  assert.deepEqual([ana.sent, bob.sent, eve.sent], [[], [], ["for eve"]]);
});

const MIB = 1024 * 1024;

/** A room's host with readers for whom so many MiB wait. */
function readers(...waiting) {
  const asked = [];
  const here = waiting.map((mib, index) => ({
    ...socket(`${index}`),
    get bufferedAmount() {
      asked.push(index + 1);
      return mib && mib * MIB;
    },
  }));
  const getTags = ({ released }) => {
    if (released) throw new Error("it has none any more");
    return [];
  };
  const host = new Host({ setWebSocketAutoResponse() {}, getWebSockets: () => here, getTags });
  host.restore();
  /** Who is too slow, once so much was sent that they are looked at. */
  const slow = () => {
    host.send(Uint32Array.of(1), "x".repeat(MIB + 1));
    return [...(host.send(Uint32Array.of(1), "x") ?? [])].sort();
  };
  return { host, asked, slow, here };
}

test("e3 one for whom more than 8 MiB wait is too slow, and gets nothing more", () => {
  const { host, here, slow } = readers(8.1, 8, 1);
  assert.deepEqual(slow(), [1]);
  assert.equal(here[0].sent.length, 1);
  host.send(Uint32Array.of(1, 2, 3), "everybody");
  assert.deepEqual(here[1].sent, ["everybody"]);
});

test("e3 of many for whom more than 32 MiB wait together, the slowest are too slow, but none with a mebibyte", () => {
  assert.deepEqual(readers(4, 7, 6, 5, 7, 3, 0).slow(), []);
  assert.deepEqual(readers(4, 7, 6, 5, 7.5, 3, 0.1).slow(), [5]);
  assert.deepEqual(readers(...Array(40).fill(1.5)).slow().length, 19);
  assert.deepEqual(readers(...Array(100).fill(1), 2).slow(), [101]);
});

test("e3 where nobody tells how much is waiting, nobody is too slow", () => {
  assert.deepEqual(readers(undefined, undefined).slow(), []);
});

test("e3 readers are asked how much waits for them when much was sent, to one of them or to all", () => {
  const { host, asked } = readers(1, 1);
  const both = Uint32Array.of(1, 2);
  for (let sent = 0; sent < 1_000; sent++) host.send(both, "x".repeat(1_000));
  assert.deepEqual(asked, []);
  for (let sent = 0; sent < 100; sent++) host.send(both, "x".repeat(1_000));
  assert.deepEqual(asked, [1, 2]);
  const many = readers(...Array(1_000).fill(0));
  const all = Uint32Array.from({ length: 1_000 }, (_, index) => index + 1);
  for (let sent = 0; sent < 20; sent++) many.host.send(all, "x".repeat(1_000));
  assert.equal(many.asked.length, 1_000);
});

test("e3 a socket that the room has closed keeps its link until it has ended", () => {
  const { host, here } = readers(1);
  let attached;
  here[0].serializeAttachment = (left) => {
    attached = left;
  };
  host.close(1, 4101, "too slow", '"ana"');
  assert.equal(attached, '"ana"');
  assert.equal(host.linkOf(here[0]), 1);
  host.send(Uint32Array.of(1), "more");
  assert.deepEqual(here[0].sent, []);
  host.closed(1, here[0], 1006);
  assert.equal(host.linkOf(here[0]), 0);
});

test("e3 how much waits for the reader of a socket that has ended is told, and when it is gone", () => {
  const { host, here } = readers(2, 2, 2, undefined, 0);
  // The network of this one went first.
  here[2].readyState = WebSocket.CLOSED;
  const unread = here.map((one, index) => host.closed(index + 1, one, 1006));
  assert.deepEqual(unread, [2 * MIB, 2 * MIB, 0, 0, 0]);
  assert.deepEqual([...host.drained()], []);
  here[0].lose();
  assert.deepEqual([...host.drained()], [1]);
  here[1].released = true;
  assert.deepEqual([...host.drained()], [2]);
  assert.deepEqual([...host.drained()], []);
});

test("e3 what waits for one that the room has closed is told when it has ended as well, unless its network has gone", () => {
  for (const gone of [false, true]) {
    const { host, here } = readers(2);
    here[0].serializeAttachment = () => {};
    assert.equal(host.close(1, 4101, "too slow", "left"), 2 * MIB);
    here[0].readyState = WebSocket.CLOSED;
    if (gone) here[0].lose();
    assert.equal(host.closed(1, here[0], 1006), gone ? 0 : 2 * MIB);
  }
});

test("e3 what waited before a room could be restored is not told of those that have its link then", () => {
  const { host, here } = readers(2, 2);
  host.closed(1, here[0], 1006);
  // Storage could not be read before.
  const [gone] = here.splice(0, 1);
  host.restore();
  assert.equal(host.linkOf(here[0]), 1);
  gone.released = true;
  assert.deepEqual([...host.drained()], []);
});
