// Bad networks: slow, silent, cut, half closed. Whatever they do, nothing is lost or doubled.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import type { TestContext } from "node:test";
import WebSocket from "ws";
import type { WebSocketConstructor } from "../../src/index.ts";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { startNetwork } from "./network.ts";
import { ANONYMOUS, ask, enter, freshRoom, hasten } from "./person.ts";
import type { Entrance, Person } from "./person.ts";

// Nobody is to be taken for silent, or to leave, before a black hole is noticed.
const server = await startServer(test, { vars: { ...ANONYMOUS, PING_SECONDS: 4, GRACE_SECONDS: 30 } });
const quick = await startServer(test, { vars: { ...ANONYMOUS, PING_SECONDS: 1, GRACE_SECONDS: 30 } });
hasten(test);

const WS = WebSocket as unknown as WebSocketConstructor;
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Ana behind a network of her own, and bob. */
async function pair(t: TestContext, { at = server, ...options }: Entrance & { at?: typeof server } = {}) {
  const room = freshRoom();
  const network = await startNetwork(t, at);
  const bob = await enter(t, at, { user: "bob", room });
  const ana = await enter(t, network, { user: "ana", room, ...options });
  return { room, network, ana, bob };
}

/** Both publish while something happens to the network; everything arrives at both, once. */
async function talk({ ana, bob }: { ana: Person; bob: Person }, from: number, work?: () => unknown) {
  const acks = [ana.room.publish("e", from), bob.room.publish("e", from + 1)];
  await work?.();
  acks.push(ana.room.publish("e", from + 2), bob.room.publish("e", from + 3));
  await Promise.all(acks);
  const all = numbers(from, from + 3);
  const complete = (person: Person) => all.every((data) => person.heard.includes(data));
  await until(
    () => complete(ana) && complete(bob),
    () => `${all} to arrive; ${ana.heard}; ${bob.heard}`,
  );
  assert.deepEqual(ana.heard, bob.heard, "the same in the same order");
  assert.equal(new Set(ana.heard).size, ana.heard.length, "each once");
  assert.deepEqual([bob.leaves, ana.gaps], [[], []]);
}

/** How often somebody connected. */
const connects = (person: Person) => person.statuses.filter((status) => status === "connected").length;

async function restored(person: Person, times: number) {
  await until(
    () => connects(person) === times,
    () => `connection ${times}; it went ${person.statuses}`,
  );
}

describe("network", { concurrency: true }, () => {
  for (const [name, Class] of [
    ["the global WebSocket", undefined],
    ["that of ws", WS],
  ] as const) {
    const options = Class && { WebSocket: Class };

    test(`C3: connections that are reset, again and again, with ${name}`, async (t) => {
      const people = await pair(t, options);
      for (let round = 1; round <= 5; round++) {
        await talk(people, round * 10, () => people.network.cut());
        await restored(people.ana, round + 1);
      }
    });

    for (const direction of ["up", "down"] as const) {
      test(`C3: a connection that ends ${direction}wards without a word, with ${name}`, async (t) => {
        const people = await pair(t, options);
        await talk(people, 0, () => people.network.halfClose(direction));
        await restored(people.ana, 2);
        await talk(people, 10);
      });
    }
  }

  for (const [name, lost, Class] of [
    ["up", ["up"], undefined],
    ["down", ["down"], WS],
    ["both ways", ["up", "down"], undefined],
    ["both ways, with the WebSocket of ws", ["up", "down"], WS],
  ] as const) {
    test(`C3: a network that swallows everything ${name} is noticed`, async (t) => {
      const people = await pair(t, Class && { WebSocket: Class });
      const { ana, bob, network } = people;
      await talk(people, 0);
      const begin = performance.now();
      for (const direction of lost) network.lost.add(direction);
      // At once: otherwise the next attempt may vanish as well, and take ten seconds.
      t.after(ana.room.watch("status", () => network.lost.clear()));
      const acks = [ana.room.publish("e", 20), bob.room.publish("e", 21)];
      await until(() => ana.statuses.includes("reconnecting"), "the loss to be noticed");
      const took = performance.now() - begin;
      assert.ok(took > 8_000, `it took ${took} ms`);
      await restored(ana, 2);
      await Promise.all(acks);
      await Promise.all([ana.hears(20), ana.hears(21), bob.hears(20)]);
      await talk(people, 30);
    });
  }

  test("a welcome that does not come within ten seconds is not waited for", async (t) => {
    const room = freshRoom();
    const network = await startNetwork(t, server);
    network.lost.add("down");
    const ana = ask(t, network, { user: "ana", room });
    const waiting = ana.room.publish("e", 1);
    await until(() => network.connections > 1, "another attempt");
    assert.deepEqual([ana.room.status, ana.room.error?.code], ["connecting", "connection_lost"]);
    network.lost.clear();
    await ana.is("connected");
    await waiting;
    await ana.hears(1);
  });

  test("a network that refuses for a while is tried until it does not", async (t) => {
    const people = await pair(t);
    const { ana, network } = people;
    await talk(people, 0, async () => {
      network.refusing = true;
      network.cut();
      const before = network.connections;
      await until(() => network.connections > before + 5, "some attempts");
      assert.equal(ana.room.error?.code, "connection_lost");
      network.refusing = false;
    });
    await restored(ana, 2);
  });

  test("a network that delays everything by 300 ms costs time and nothing else", async (t) => {
    const room = freshRoom();
    const network = await startNetwork(t, server);
    network.latency = 300;
    const bob = await enter(t, server, { user: "bob", room });
    const ana = await enter(t, network, { user: "ana", room, state: { x: 1 } });
    await talk({ ana, bob }, 0);
    await talk({ ana, bob }, 10, () => network.cut());
    await restored(ana, 2);
  });

  test("a network that passes on each byte alone changes nothing", async (t) => {
    const people = await pair(t);
    people.network.piece = 1;
    await talk(people, 0);
    await talk(people, 10, () => people.network.cut());
    await restored(people.ana, 2);
    const large = "ä😀".repeat(500);
    await people.ana.room.publish("e", large);
    await Promise.all([people.ana.hears(large), people.bob.hears(large)]);
  });

  test("C3: a slow network with large messages is not taken for lost", async (t) => {
    const people = await pair(t, { at: quick });
    const { ana, bob, network } = people;
    // 60 kB take some three seconds, several pings long.
    network.piece = 2_000;
    network.every = 100;
    const large = (n: number) => `${n} ${"x".repeat(60_000)}`;
    const acks = [1, 2].map((n) => bob.room.publish("e", large(n)));
    await Promise.all(acks);
    await ana.hears(large(2));
    assert.deepEqual([connects(ana), ana.heard.length], [1, 2]);
    await Promise.all([ana.room.publish("e", large(3)), bob.hears(large(3))]);
    assert.equal(connects(ana), 1);
  });

  for (const [name, Class] of [
    ["the global WebSocket", undefined],
    ["that of ws", WS],
  ] as const) {
    test(`M2: ephemeral messages are not piled up behind a network that takes nothing, with ${name}`, async (t) => {
      const people = await pair(t, { outbox: 1_000, ...(Class && { WebSocket: Class }) });
      const { ana, bob, network } = people;
      network.stall();
      // Nothing that could be compressed.
      const large = randomBytes(25_000).toString("hex");
      let [sent, refused, count] = [0, 0, 0];
      await until(async () => {
        const one = ana.room.publish("cursor", [count++, large], { ephemeral: true });
        await one.then(() => sent++, ({ code }) => (refused += Number(code === "not_connected")));
        return refused > 20;
      }, "some to be refused");
      assert.equal(sent + refused, count);
      // What is stored waits.
      const ack = ana.room.publish("e", "kept");
      network.flow();
      await ack;
      await bob.hears("kept");
      await ana.room.publish("cursor", "again", { ephemeral: true });
      await bob.hears("again");
      assert.equal(connects(ana), 1);
      const cursors = bob.messages.filter(({ event, data }) => event === "cursor" && Array.isArray(data));
      assert.deepEqual(cursors.length, sent);
    });
  }
});
