import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, placeOf } from "./client.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const server = await startServer(test, { vars: { GRACE_SECONDS: 2 } });
const pair = async (room, at = server) => [await join(at, room), await join(at, room, { user: "bob" })];

/** The list that a client has by what it was told: P2, P4, P5. */
function view(recorder) {
  const members = new Map();
  for (const message of recorder.messages) {
    const { type } = message;
    if (type === "welcome" || type === "members") {
      members.clear();
      for (const member of message.members ?? []) members.set(member.connection, member.state);
    } else if (type === "join") {
      assert.equal(members.has(message.member.connection), false, "a join of a member");
      members.set(message.member.connection, message.member.state);
    } else if (type === "leave") {
      assert.ok(members.delete(message.connection), "a leave of nobody");
    } else if (type === "states") {
      for (const [id, state] of Object.entries(message.states ?? {})) members.set(id, state);
      for (const [id, patch] of Object.entries(message.patches ?? {})) {
        const state = members.get(id);
        const merged = { ...(Object(state) === state && !Array.isArray(state) ? state : {}), ...patch };
        for (const key of Object.keys(patch)) if (patch[key] === null) delete merged[key];
        members.set(id, merged);
      }
    }
  }
  return Object.fromEntries(members);
}

const listed = async (room, at = server) => {
  const { members } = (await get(at, `/room/${room}/presence`)).body;
  return Object.fromEntries(members.map(({ connection, state }) => [connection, state]));
};

test("p1 a state is set, patched and cleared", async () => {
  const room = freshRoom();
  const [ana, bob] = await pair(room);
  const steps = [
    [{ state: { x: 1, y: [2] } }, { x: 1, y: [2] }],
    [{ patch: { x: 5, z: null } }, { x: 5, y: [2] }],
    [{ patch: { y: null } }, { x: 5 }],
    [{ state: "away" }, "away"],
    [{ patch: { a: 1 } }, { a: 1 }],
    [{ state: null }, null],
    [{ patch: { b: { c: null } } }, { b: { c: null } }],
  ];
  for (const [change, expected] of steps) {
    ana.send({ type: "state", ...change });
    for (const who of [ana, bob]) {
      await who.next("states");
      assert.deepEqual(view(who)[ana.connection], expected, JSON.stringify(change));
    }
    assert.deepEqual((await listed(room))[ana.connection], expected);
  }
  assert.deepEqual((await join(server, room, { user: "late" })).welcome.members[0].state, { b: { c: null } });
});

test("p1 n4 state and patch together are bad_message, a state over 4 KiB is refused and stays as it was", async () => {
  const room = freshRoom();
  const [ana] = await pair(room);
  ana.send({ type: "state", id: "s", state: 1, patch: {} });
  assert.equal((await ana.next({ type: "error", id: "s" })).code, "bad_message");
  ana.send({ type: "state", state: { pad: "x".repeat(4_086) } });
  await ana.next("states");
  ana.send({ type: "state", id: "t", patch: { more: 1 } });
  assert.equal((await ana.next({ type: "error", id: "t" })).code, "state_too_large");
  ana.send({ type: "state", id: "u", state: "x".repeat(4_095) });
  assert.equal((await ana.next({ type: "error", id: "u" })).code, "state_too_large");
  assert.deepEqual(Object.keys((await listed(room))[ana.connection]), ["pad"]);
});

test("p2 join and leave go to the others, states to all, and only the last of a tick", async () => {
  const room = freshRoom();
  const [ana, bob] = await pair(room);
  assert.deepEqual(bob.all("join"), [], "nobody is told of themselves");
  const { member } = await ana.find("join");
  assert.deepEqual(member, bob.welcome.members[1]);
  ana.send(Array.from({ length: 50 }, (_, x) => ({ type: "state", state: { x } })));
  for (const who of [ana, bob]) {
    const first = await who.next("states");
    assert.deepEqual(first.states, { [ana.connection]: { x: 49 } });
  }
  ana.send([
    { type: "state", patch: { a: 1, b: 1 } },
    { type: "state", patch: { b: 2 } },
  ]);
  const { type, ...rest } = await bob.next("states");
  assert.deepEqual(rest, { patches: { [ana.connection]: { a: 1, b: 2 } } });
  await bob.close();
  assert.deepEqual(await ana.find("leave"), { type: "leave", connection: bob.connection, user: "bob" });
});

test("p3 members are connections, occupancy counts both", async () => {
  const room = freshRoom();
  const [ana] = await pair(room);
  const tab = await join(server, room);
  assert.deepEqual(tab.welcome.occupancy, { connections: 3, users: 2 });
  assert.deepEqual(
    tab.welcome.members.map(({ user }) => user.id),
    ["ana", "bob", "ana"],
  );
  await tab.close();
  await ana.find({ type: "leave", connection: tab.connection });
  assert.deepEqual((await get(server, `/room/${room}/presence`)).body.occupancy, { connections: 2, users: 2 });
});

test("p4 n7 above the limit only occupancy is told, and below 90 % the list comes back", async (t) => {
  const small = await startServer(t, { vars: { MAX_MEMBERS: 10, GRACE_SECONDS: 1 } });
  const room = freshRoom();
  const [ana, ...rest] = await Promise.all(
    Array.from({ length: 10 }, (_, index) => join(small, room, { user: `u${index}` })),
  );
  await until(() => Object.keys(view(ana)).length === 10, "all ten");
  const eleventh = await join(small, room, { user: "eleventh" });
  assert.equal("members" in eleventh.welcome, false);
  assert.deepEqual((await ana.find("occupancy")).connections, 11);
  assert.equal("members" in (await get(small, `/room/${room}/presence`)).body, false);
  ana.send({ type: "state", state: { kept: true } });
  await ana.settled();
  await eleventh.settled();
  assert.deepEqual(eleventh.all("states").concat(eleventh.all("join")), []);
  // Ten and nine are within the limit, but not below 90 % of it.
  await eleventh.close();
  await rest.pop().close();
  await rest.pop().close();
  const fresh = await ana.find("members");
  assert.equal(fresh.members.length, 8);
  assert.deepEqual(fresh.members.find(({ connection }) => connection === ana.connection).state, { kept: true });
  for (const who of [ana, ...rest]) await who.find("members");
  const late = await join(small, room, { user: "late" });
  await ana.find({ type: "join" });
  await until(() => view(ana)[late.connection] !== undefined, "the list to go on");
  assert.equal(ana.all("leave").length, 0);
});

test("p4 n7 the size of all states counts as well", async (t) => {
  const small = await startServer(t, { vars: { MAX_PRESENCE_BYTES: 3_000, GRACE_SECONDS: 1 } });
  const room = freshRoom();
  const [ana, bob] = await pair(room, small);
  ana.send({ type: "state", state: "x".repeat(2_000) });
  await bob.next("states");
  bob.send({ type: "state", state: "y".repeat(2_000) });
  await bob.settled();
  assert.equal("members" in (await join(small, room, { user: "cleo" })).welcome, false);
  bob.send({ type: "state", state: null });
  assert.deepEqual(
    (await ana.find("members")).members.map(({ user }) => user.id),
    ["ana", "bob", "cleo"],
  );
});

test("p5 every join has one leave for those connected throughout, whatever dies in between", async () => {
  const room = freshRoom();
  const watch = await join(server, room, { user: "watch" });
  const crowd = await Promise.all(
    Array.from({ length: 12 }, (_, index) => join(server, room, { user: `u${index % 5}` })),
  );
  await Promise.all(
    crowd.map(async (who, index) => {
      if (index % 4 === 0) return who.drop();
      if (index % 4 === 1) return who.close();
      if (index % 4 === 2) {
        who.drop();
        const again = await join(server, room, { user: who.welcome.user.id, resume: placeOf(who) });
        return again.close(4_600);
      }
      who.socket.send(Buffer.from([1]));
      return who.end();
    }),
  );
  await until(() => Object.keys(view(watch)).join() === watch.connection, "everybody to leave");
  await watch.settled();
  // On a busy machine some came back only after their grace, and so joined once more.
  assert.ok(watch.all("join").length >= 12);
  assert.equal(watch.all("join").length, watch.all("leave").length);
  assert.deepEqual(Object.keys(view(watch)), [watch.connection]);
  assert.deepEqual((await get(server, `/room/${room}/presence`)).body.occupancy, { connections: 1, users: 1 });
});

test("p5 r5 all views are equal once quiet, also after a restart", async () => {
  const room = freshRoom();
  let crowd = await Promise.all(Array.from({ length: 5 }, (_, index) => join(server, room, { user: `u${index}` })));
  for (const [index, who] of crowd.entries()) {
    who.send({ type: "state", state: { index } });
    who.send({ type: "state", patch: { even: index % 2 === 0 } });
  }
  const equal = async (expected) => {
    await until(() => crowd.every((who) => Object.keys(view(who)).length === expected.length), "equal lists");
    for (const who of crowd) await who.settled();
    const first = view(crowd[0]);
    assert.deepEqual(Object.keys(first).sort(), expected.map((who) => who.connection).sort());
    for (const who of crowd) assert.deepEqual(view(who), first);
    assert.deepEqual(await listed(room), first);
    return first;
  };
  const before = await equal(crowd);
  assert.deepEqual(before[crowd[2].connection], { index: 2, even: true });
  const places = crowd.map((who) => placeOf(who));
  await server.restart();
  const [, , ...there] = crowd;
  crowd = await Promise.all(
    there.map((who, index) => join(server, room, { user: who.welcome.user.id, resume: places[index + 2] })),
  );
  for (const [index, who] of crowd.entries()) who.send({ type: "state", state: { index } });
  await equal(crowd);
});
