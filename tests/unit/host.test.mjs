// The sockets of a room as the room numbers them, on a stand-in for the object's state.
import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.WebSocketRequestResponsePair = class {};
const { Host } = await import("../../src/worker/host.js");

function socket(attachment) {
  const sent = [];
  return { sent, deserializeAttachment: () => attachment, send: (text) => sent.push(text) };
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
