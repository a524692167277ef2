// Everything that a network and a server do to connections, in any order: set CHAOS_SEED to see a run again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { startNetwork } from "./network.ts";
import { ANONYMOUS, ask, freshRoom, hasten } from "./person.ts";

const SECONDS = Number(process.env["CHAOS_SECONDS"] ?? 5);
const seed = Number(process.env["CHAOS_SEED"] ?? 20_261_121);

/** https://en.wikipedia.org/wiki/Xorshift: the same numbers for the same seed. */
function randomOf(state: number) {
  return (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test("M4, M5, R1, R2, R3, R6: whatever happens, each message arrives at everybody once and in order", async (t) => {
  t.diagnostic(`CHAOS_SEED=${seed}`);
  hasten(t, 500);
  const random = randomOf(seed || 1);
  // Some come back to more than can be replayed.
  const server = await startServer(t, { vars: { ...ANONYMOUS, RECOVER_MESSAGES: 20, GRACE_SECONDS: 60 } });
  const room = freshRoom();
  const names = ["ana", "bob", "eve"];
  const networks = await Promise.all(names.map(() => startNetwork(t, server)));
  const people = names.map((user, index) =>
    ask(t, networks[index]!, { user, room, history: 500, outbox: 5_000, state: { user } }),
  );
  await Promise.all(people.map((person) => person.is("connected")));

  const acks: Promise<unknown>[] = [];
  const acked: string[] = [];
  let count = 0;
  const talk = setInterval(() => {
    const index = count % names.length;
    const data = `${names[index]} ${count++}`;
    const ack = people[index]!.room.publish("e", data).then(() => acked.push(data));
    ack.catch(() => {});
    acks.push(ack);
  }, 15);
  t.after(() => clearInterval(talk));
  const done: string[] = [];
  const end = Date.now() + SECONDS * 1_000;
  while (Date.now() < end) {
    await pause(random(150));
    const index = random(names.length);
    const [person, network] = [people[index]!, networks[index]!];
    const actions = [
      () => network.cut(),
      () => network.cut(),
      () => network.halfClose("up"),
      () => network.halfClose("down"),
      () => (network.latency = random(40)),
      () => (network.piece = random(2) ? Infinity : 100),
      () => (network.refusing = !network.refusing && random(2) === 0),
      async () => {
        network.lost.add(random(2) ? "up" : "down");
        await pause(random(100));
        network.cut();
        network.lost.clear();
      },
      () => person.room.connect(),
      () => person.room.presence.update({ at: done.length }),
      async () => {
        if (random(4)) return;
        await server.restart();
      },
    ];
    const choice = random(actions.length);
    done.push(`${names[index]} ${choice}`);
    await actions[choice]!();
  }
  clearInterval(talk);
  for (const network of networks) {
    network.refusing = false;
    network.latency = 0;
    network.piece = Infinity;
  }
  for (const person of people) person.room.connect();
  const story = () => `seed ${seed}: ${done.join(", ")}`;
  await Promise.all(acks);
  await Promise.all(people.map((person) => person.is("connected")));
  await people[0]!.room.publish("e", "end");
  await Promise.all(people.map((person) => person.hears("end")));
  const [first, ...others] = people;
  assert.equal(new Set(first!.heard).size, first!.heard.length, `each once; ${story()}`);
  assert.deepEqual(first!.heard.toSorted(), [...acked, "end"].toSorted(), story());
  for (const other of others) assert.deepEqual(other.heard, first!.heard, story());
  for (const name of names) {
    const said = first!.heard.map(String).filter((data) => data.startsWith(name));
    assert.deepEqual(said, said.toSorted((a, b) => Number(a.slice(4)) - Number(b.slice(4))), story());
  }
  const told = (what: "gaps" | "statuses") => people.map((person) => person[what].length);
  t.diagnostic(`${first!.heard.length} messages; gaps: ${told("gaps")}; changes of status: ${told("statuses")}`);
  for (const person of people) {
    assert.deepEqual([person.leaves, person.errors], [[], []], story());
    await until(
      () => people.every((other, index) => JSON.stringify(person.stateOf(names[index]!)) === JSON.stringify(other.room.presence.state)),
      () => `all states at ${person.room.self?.user.id}: ${JSON.stringify(person.room.members)}; ${story()}`,
    );
  }
});
