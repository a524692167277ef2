// Who is here and what they show: throttled, too large, in a crowd.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClient } from "../../src/index.ts";
import { startServer } from "../../../tests/workerd/server.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import { startNetwork } from "./network.ts";
import { ANONYMOUS, ask, enter, freshRoom, hasten } from "./person.ts";
import { watchSockets } from "./sockets.ts";

const server = await startServer(test, { vars: { ...ANONYMOUS, GRACE_SECONDS: 60 } });
const brief = await startServer(test, { vars: { ...ANONYMOUS, GRACE_SECONDS: 1 } });
const small = await startServer(test, { vars: { ...ANONYMOUS, MAX_MEMBERS: 3, GRACE_SECONDS: 60 } });
hasten(test);

describe("presence", { concurrency: true }, () => {
  test("P1, P2: everybody sees what the others show, patches merged and keys taken away", async (t) => {
    const room = freshRoom();
    const bob = await enter(t, server, { user: "bob", room });
    const ana = await enter(t, server, { user: "ana", room, state: { x: 1, y: { deep: [1] } } });
    const shows = (state: unknown) =>
      until(
        () => JSON.stringify(bob.stateOf("ana")) === JSON.stringify(state),
        () => `${JSON.stringify(state)} and not ${JSON.stringify(bob.stateOf("ana"))}`,
      );
    await shows({ x: 1, y: { deep: [1] } });
    ana.room.presence.update({ x: 2 });
    ana.room.presence.update({ y: null, z: undefined, é: "😀" });
    assert.deepEqual(ana.room.self!.state, { x: 2, é: "😀" }, "the own state is shown at once");
    assert.deepEqual(ana.stateOf("ana"), { x: 2, é: "😀" });
    await shows({ x: 2, é: "😀" });
    ana.room.presence.set([1, 2]);
    await shows([1, 2]);
    ana.room.presence.update({ z: 1 });
    await shows({ z: 1 });
    ana.room.presence.set(null);
    await shows(null);
    assert.equal(bob.joins.length, 1);
    assert.deepEqual([ana.updates, ana.errors, bob.errors], [[], [], []]);
  });

  test("N6: a state that changes all the time is sent some twenty times a second, and the last one counts", async (t) => {
    const room = freshRoom();
    const sockets = watchSockets();
    const bob = await enter(t, server, { user: "bob", room });
    const ana = await enter(t, server, { user: "ana", room, WebSocket: sockets.Class });
    await bob.sees("ana", "bob");
    const begin = performance.now();
    const before = sockets.sent.length;
    let n = 0;
    await until(() => {
      // Some thousand a second.
      for (let count = 0; count < 4; count++) ana.room.presence.update({ n: ++n, [`k${n % 3}`]: n });
      return n > 300 && performance.now() - begin > 1_000;
    }, "a second to pass, or longer on a busy machine", { within: 30_000 });
    const expected = ana.room.presence.state;
    await until(() => (bob.stateOf("ana") as { n: number })?.n === n, "the last one");
    const sent = sockets.sent.length - before;
    assert.ok(sent >= 5 && sent <= (performance.now() - begin) / 50 + 2, `${sent} of ${n}`);
    assert.ok(bob.updates.length <= sent, `${bob.updates.length} of ${n}`);
    assert.deepEqual([bob.stateOf("ana"), ana.errors], [expected, []]);
  });

  test("P1: a state that is too large is told, and the others keep what they saw", async (t) => {
    const room = freshRoom();
    const bob = await enter(t, server, { user: "bob", room });
    const ana = await enter(t, server, { user: "ana", room, state: { x: 1 } });
    await until(() => bob.stateOf("ana"), "the state");
    ana.room.presence.update({ large: "x".repeat(5_000) });
    await until(() => ana.errors.length, "the error");
    assert.deepEqual(ana.errors.map(({ code, retryable }) => [code, retryable]), [["state_too_large", false]]);
    ana.room.presence.set({ x: 2 });
    await until(() => (bob.stateOf("ana") as { x: number }).x === 2, "the next one");
    assert.deepEqual([bob.stateOf("ana"), bob.stateOf("ana")], [{ x: 2 }, ana.room.presence.state]);
    assert.deepEqual([bob.updates.length, ana.errors.length, ana.room.status], [2, 1, "connected"]);
  });

  test("R4, R5: a state that changed while there was no connection is there afterwards, and nobody is seen leaving", async (t) => {
    const room = freshRoom();
    const network = await startNetwork(t, server);
    const bob = await enter(t, server, { user: "bob", room });
    const ana = await enter(t, network, { user: "ana", room, state: { n: 0, old: true } });
    await until(() => bob.stateOf("ana"), "the state");
    for (const change of [() => ana.room.presence.update({ n: 1, old: null }), () => ana.room.presence.set(null)]) {
      network.refusing = true;
      network.cut();
      await ana.is("reconnecting");
      change();
      network.refusing = false;
      await ana.is("connected");
      const wanted = JSON.stringify(ana.room.presence.state);
      await until(() => JSON.stringify(bob.stateOf("ana")) === wanted, wanted);
    }
    assert.deepEqual([bob.joins.length, bob.leaves.length], [1, 0]);
  });

  test("R4, P5: who does not come back leaves after the grace, once, and joins again", async (t) => {
    const room = freshRoom();
    const network = await startNetwork(t, brief);
    const bob = await enter(t, brief, { user: "bob", room });
    const ana = await enter(t, network, { user: "ana", room, state: { x: 1 } });
    const { connection } = ana.room.self!;
    await until(() => bob.stateOf("ana"), "the state");
    network.refusing = true;
    network.cut();
    await bob.sees("bob");
    network.refusing = false;
    ana.room.connect();
    await bob.sees("ana", "bob");
    await until(() => bob.stateOf("ana"), "the state again");
    assert.deepEqual([bob.joins.length, bob.leaves.length, bob.joins[1]!.connection], [2, 1, connection]);
    // Whom she finds when she comes first is told too.
    assert.deepEqual([ana.users, ana.leaves, ana.joins.length], [["ana", "bob"], [], 1]);
  });

  test("P3: a user with two connections is one user and two members", async (t) => {
    const room = freshRoom();
    const one = await enter(t, server, { user: "ana", room, state: 1 });
    const two = await enter(t, server, { user: "ana", room, state: 2 });
    const bob = await enter(t, server, { user: "bob", room });
    await bob.sees("ana", "bob");
    await until(() => bob.room.users[0]!.members.map(({ state }) => state).join() === "1,2", "both states");
    await until(() => one.room.members.length === 3 && two.room.members.length === 3, "all to see all");
    for (const { room } of [one, two, bob]) assert.deepEqual(room.occupancy, { connections: 3, users: 2 });
    two.room.leave();
    await until(() => bob.room.members.length === 2, "one to leave");
    assert.deepEqual([bob.users, bob.room.occupancy], [["ana", "bob"], { connections: 2, users: 2 }]);
  });

  test("members are the same objects and the same list until they change", async (t) => {
    const room = freshRoom();
    const bob = await enter(t, server, { user: "bob", room, state: 1 });
    const ana = await enter(t, server, { user: "ana", room, state: 1 });
    await until(() => bob.stateOf("ana") && ana.stateOf("bob"), "both states");
    const [list, users] = [ana.room.members, ana.room.users];
    await bob.room.publish("e", 1);
    await ana.hears(1);
    assert.ok(ana.room.members === list && ana.room.users === users);
    bob.room.presence.set(2);
    await until(() => ana.stateOf("bob") === 2, "the change");
    assert.ok(ana.room.members !== list && ana.lists.at(-1) === ana.room.members);
    assert.deepEqual(list.map(({ state }) => state), [1, 1], "the old one stays as it was");
    assert.ok(ana.room.members.find((member) => member.user.id === "ana") === list.find(({ user }) => user.id === "ana"));
  });

  test("P4: in a crowd nobody is listed but all are counted, and below it all are listed with their states", async (t) => {
    const room = freshRoom();
    const people = [];
    for (const user of ["a", "b", "c", "d", "e"]) people.push(await enter(t, small, { user, room, state: { user } }));
    for (const person of people) {
      await until(() => person.room.occupancy.connections === 5, () => JSON.stringify(person.room.occupancy));
      assert.deepEqual([person.room.members, person.room.users], [[], []]);
      assert.deepEqual(person.room.occupancy, { connections: 5, users: 5 });
      assert.equal(person.room.self!.user.id, person.room.self!.state.user);
    }
    const [a, b, ...others] = people;
    // States that change in the crowd are shown later.
    a!.room.presence.update({ crowd: true });
    await a!.room.publish("e", 1);
    await b!.hears(1);
    for (const person of others) person.room.leave();
    await Promise.all([a!.sees("a", "b"), b!.sees("a", "b")]);
    await until(() => b!.stateOf("a"), "the state");
    assert.deepEqual([b!.stateOf("a"), a!.stateOf("b")], [{ user: "a", crowd: true }, { user: "b" }]);
  });

  test("P4: when all are listed again the count is theirs", async (t) => {
    const room = freshRoom();
    const ana = await enter(t, small, { user: "ana", room });
    const people = await Promise.all(["a", "b", "c", "d"].map((user) => enter(t, small, { user, room })));
    await until(() => ana.room.occupancy.connections === 5, "the crowd");
    for (const person of people.slice(1)) person.room.leave();
    await ana.sees("a", "ana");
    assert.deepEqual(ana.room.occupancy, { connections: 2, users: 2 });
  });

  test("P4: a crowd that comes back from a lost connection is still one", async (t) => {
    const room = freshRoom();
    const network = await startNetwork(t, small);
    const ana = await enter(t, network, { user: "ana", room, state: 1 });
    const people = await Promise.all(["a", "b", "c"].map((user) => enter(t, small, { user, room })));
    await until(() => ana.room.occupancy.connections === 4, "the crowd");
    network.refusing = true;
    network.cut();
    await ana.is("reconnecting");
    ana.room.presence.set(2);
    network.refusing = false;
    await ana.is("connected");
    assert.deepEqual([ana.room.members, ana.room.occupancy.connections], [[], 4]);
    for (const person of people.slice(1)) person.room.leave();
    await people[0]!.sees("a", "ana");
    await until(() => people[0]!.stateOf("ana") === 2, "the state of before the drop");
  });

  test("a state is what it was asked for with, unless the room is held already", async (t) => {
    const room = freshRoom();
    const client = createClient({ url: server.url, user: "ana" });
    const one = ask(t, server, { client, room });
    one.room.presence.set({ early: true });
    ask(t, server, { client, room, state: { late: true } });
    await one.is("connected");
    const bob = await enter(t, server, { user: "bob", room });
    await until(() => bob.stateOf("ana"), "the state");
    assert.deepEqual(bob.stateOf("ana"), { early: true });
  });
});
