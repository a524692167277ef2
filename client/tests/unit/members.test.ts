// Who is in the room: as lists that never change, as events, as users and as numbers.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member, Room } from "../../src/index.ts";
import { OWN, heard, member, settled, told, unlisted, world } from "./fake.ts";
import type { World } from "./fake.ts";

const names = (list: readonly { connection: string }[]) => list.map(({ connection }) => connection).join(" ");
const states = (room: Room) => Object.fromEntries(room.members.map(({ connection, state }) => [connection, state]));
const events = (all: [string, unknown][]) => all.map(([topic, value]) => `${topic} ${(value as Member).connection}`);
const join = (connection: string, parts = {}) => ({ type: "join", member: member(connection, parts) });
const leave = (connection: string) => ({ type: "leave", connection, user: `user-${connection}` });

const three = [OWN, member("2", { state: { x: 1 } }), member("3")];
const occupancy = { connections: 3, users: 3 };

/** The connection breaks and is restored with this list. */
async function back(it: World, members = three, parts = {}) {
  it.socket.end();
  (await it.next()).welcome({ recovered: true, members, occupancy, ...parts });
}

test("C2, P2: the welcome's members, and who comes and goes after that", async (t) => {
  const it = world(t);
  const room = it.room();
  const all = told(room, "join", "leave", "update");
  const lists = heard(room, "members");
  it.socket.welcome({ members: three, occupancy });
  assert.equal(names(room.members), "1 2 3");
  it.socket.tell(join("4"), leave("2"));
  assert.equal(names(room.members), "1 3 4");
  assert.deepEqual(events(all), ["join 2", "join 3", "join 4", "leave 2"]);
  assert.deepEqual(lists.map(names), ["1 2 3", "1 3 4"], "once for each frame");
  assert.deepEqual(all[3]![1], three[1], "as they were");
});

test("the own entry is among the members, and nothing is told of it as of the others", async (t) => {
  const it = world(t);
  const room = it.room();
  const all = told(room, "join", "leave", "update");
  it.socket.welcome();
  assert.equal(room.members[0], room.self);
  room.presence.set({ x: 1 });
  assert.equal(room.members[0], room.self);
  await back(it, [OWN]);
  assert.equal(room.members[0], room.self);
  it.socket.end(4505);
  assert.deepEqual(all, []);
});

test("they stand in the order in which they joined", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: [OWN, member("3"), member("2")] });
  it.socket.tell(join("5"), join("4"));
  assert.equal(names(room.members), "1 2 3 4 5");
  it.socket.tell({ type: "states", states: { 3: "changed" } });
  assert.equal(names(room.members), "1 2 3 4 5");
});

test("a list never changes, and whoever did not change stays the same object", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  const before = room.members;
  const copy = [...before];
  assert.equal(room.members, before);
  it.socket.tell({ type: "message", event: "chat", data: 1, user: "bob" });
  assert.equal(room.members, before, "nothing changed");
  it.socket.tell({ type: "states", patches: { 2: { y: 2 } } });
  const after = room.members;
  assert.notEqual(after, before);
  assert.deepEqual(before, copy);
  assert.deepEqual(before[1]!.state, { x: 1 });
  assert.deepEqual(after[1]!.state, { x: 1, y: 2 });
  assert.equal(after[0], before[0]);
  assert.equal(after[2], before[2]);
  assert.equal(room.users, room.users);
  assert.equal(room.occupancy, room.occupancy);
});

test("P2: whole states and patches, also in one message; null takes keys away", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  const all = told(room, "update");
  it.socket.tell({ type: "states", states: { 2: { a: 1, b: 2 }, 3: null }, patches: { 4: { x: 1 } } });
  assert.deepEqual(states(room), { 1: null, 2: { a: 1, b: 2 }, 3: null });
  it.socket.tell({ type: "states", patches: { 2: { a: null, c: [3] }, 3: { x: 1 } } });
  assert.deepEqual(states(room), { 1: null, 2: { b: 2, c: [3] }, 3: { x: 1 } });
  it.socket.tell({ type: "states", states: { 3: "text" } }, { type: "states", patches: { 3: { y: 1 } } });
  assert.deepEqual(states(room)[3], { y: 1 }, "what is no object counts as an empty one");
  assert.deepEqual(events(all).slice(0, 2), ["update 2", "update 3"]);
});

test("P3: users are grouped, with their connections, the oldest first", async (t) => {
  const it = world(t);
  const bob = { name: "bob" };
  const members = [OWN, member("2", bob), member("3"), member("4", { name: "ana" }), member("5", bob)];
  const room = await it.enter({}, { members, occupancy: { connections: 6, users: 3 } });
  assert.deepEqual(room.users.map(({ id, members }) => `${id}: ${names(members)}`), ["ana: 1 4", "bob: 2 5", "user-3: 3"]);
  assert.deepEqual(room.users[1]!.info, {});
  assert.equal(room.users[1]!.members[0], room.members[1]);
  assert.deepEqual(room.occupancy, { connections: 6, users: 3 });
  it.socket.tell(leave("5"));
  assert.deepEqual(room.occupancy, { connections: 5, users: 3 });
  it.socket.tell(leave("2"), join("6", { name: "ana" }));
  assert.deepEqual(room.occupancy, { connections: 5, users: 2 });
});

test("P3: occupancy is told when it changed, once for each frame, whoever has read it before", async (t) => {
  const it = world(t);
  const room = it.room();
  const counts = heard(room, "occupancy");
  room.watch("join", () => void room.occupancy);
  it.socket.welcome({ members: three, occupancy: { connections: 5, users: 3 } });
  it.socket.tell(join("4"), join("5"));
  it.socket.tell({ type: "states", states: { 4: 1 } });
  it.socket.tell(leave("4"));
  assert.deepEqual(counts, [
    { connections: 5, users: 3 },
    { connections: 7, users: 5 },
    { connections: 6, users: 4 },
  ]);
});

test("P4: a crowded room has no list but is counted", async (t) => {
  const it = world(t);
  const room = it.room();
  const all = told(room, "members", "occupancy");
  it.socket.tell(unlisted({ occupancy: { connections: 1_204, users: 1_188 } }));
  assert.equal(room.self!.connection, "1");
  assert.deepEqual(room.members, []);
  assert.deepEqual(room.occupancy, { connections: 1_204, users: 1_188 });
  it.socket.tell({ type: "occupancy", connections: 1_300, users: 1_200 });
  assert.deepEqual(room.occupancy, { connections: 1_300, users: 1_200 });
  assert.deepEqual(all, [
    ["occupancy", { connections: 1_204, users: 1_188 }],
    ["occupancy", { connections: 1_300, users: 1_200 }],
  ]);
});

test("P4: a room that gets crowded loses its list, and one that is no more gets it again", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy: { connections: 4, users: 3 } });
  it.socket.tell({ type: "occupancy", connections: 1_500, users: 1_400 });
  assert.deepEqual(room.members, []);
  assert.deepEqual(room.users, []);
  assert.deepEqual(room.occupancy, { connections: 1_500, users: 1_400 });
  it.socket.tell({ type: "occupancy", connections: 5, users: 3 }, { type: "members", members: three });
  assert.equal(names(room.members), "1 2 3");
  assert.equal(room.self, room.members[0]);
  assert.deepEqual(room.occupancy, { connections: 5, users: 3 });
  it.socket.tell(join("4"));
  assert.deepEqual(room.occupancy, { connections: 6, users: 4 });
});

test("R1: nobody is told of anything when a connection comes back to a room that did not change", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  const before = room.members;
  const all = told(room, "members", "join", "leave", "update");
  await back(it);
  assert.equal(room.members, before);
  assert.deepEqual(all, []);
});

test("while the connection is lost everybody stays as they were", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  const before = room.members;
  it.socket.end();
  await it.pass(300);
  assert.equal(room.members, before);
  assert.equal(room.self!.connection, "1");
  assert.deepEqual(room.occupancy, occupancy);
});

test("P5: whoever came, went or changed meanwhile is told of then", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  const all = told(room, "join", "leave", "update");
  await back(it, [OWN, member("2", { state: { x: 2 } }), member("4")]);
  assert.deepEqual(events(all).sort(), ["join 4", "leave 3", "update 2"]);
  assert.equal(names(room.members), "1 2 4");
});

test("R5: states that a restart made the room forget stay until they are told again, or for 5 s", async (t) => {
  const it = world(t);
  const members = [OWN, member("2", { state: { x: 2 } }), member("3", { state: { x: 3 } }), member("4")];
  const room = await it.enter({}, { members });
  const all = told(room, "update", "join", "leave");
  await back(it, [OWN, member("2"), member("3"), member("4")]);
  assert.deepEqual(states(room), { 1: null, 2: { x: 2 }, 3: { x: 3 }, 4: null });
  assert.deepEqual(all, []);
  await it.pass(4_000);
  it.socket.tell({ type: "states", states: { 2: { x: 20 } } });
  await it.pass(999);
  assert.deepEqual(states(room), { 1: null, 2: { x: 20 }, 3: { x: 3 }, 4: null });
  await it.pass(1);
  assert.deepEqual(states(room), { 1: null, 2: { x: 20 }, 3: null, 4: null });
  assert.deepEqual(events(all), ["update 2", "update 3"]);
});

test("R5: a state that is told again, and is the same, stays for good", async (t) => {
  const it = world(t);
  const members = [OWN, member("2", { state: { x: 2 } })];
  const room = await it.enter({}, { members });
  await back(it, [OWN, member("2")]);
  it.socket.tell({ type: "states", states: { 2: { x: 2 } } });
  await it.pass(6_000);
  assert.deepEqual(states(room)[2], { x: 2 });
});

test("R5: a patch that comes to a state the room forgot is merged into nothing there, and so here", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: [OWN, member("2", { state: { x: 2, y: 2 } })] });
  await back(it, [OWN, member("2")]);
  it.socket.tell({ type: "states", states: { 2: { y: 3 } } });
  assert.deepEqual(states(room)[2], { y: 3 });
});

test("P1: what an owner cleared while we were away is not in what they patch then", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: [OWN, member("2", { state: { x: 2, y: 2 } })] });
  await back(it, [OWN, member("2")]);
  it.socket.tell({ type: "states", patches: { 2: { x: 3 } } });
  assert.deepEqual(states(room)[2], { x: 3 });
  it.socket.tell({ type: "states", patches: { 2: { z: 4 } } });
  await it.pass(6_000);
  assert.deepEqual(states(room)[2], { x: 3, z: 4 });
});

test("a state that its owner cleared while we were away is null after 5 s", async (t) => {
  const it = world(t);
  const own = { ...OWN, state: { me: 1 } };
  const room = await it.enter({ state: { me: 1 } }, { members: [own, member("2", { state: { x: 2 } })] });
  await back(it, [own, member("2")]);
  assert.deepEqual(states(room)[2], { x: 2 }, "who is just coming back is shown as before");
  await it.pass(5_000);
  assert.deepEqual(states(room)[2], null);
});

test("leaving within those 5 s is the end of them", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: [OWN, member("2", { state: { x: 2 } })] });
  await back(it, [OWN, member("2")]);
  room.leave();
  const all = told(room, "members", "update");
  await it.pass(6_000);
  assert.deepEqual(all, []);
  assert.deepEqual(room.members, []);
});

test("R1: with another connection id than before, the old one is nobody", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  const all = told(room, "join", "leave");
  await back(it, [member("2", { state: { x: 1 } }), member("3"), member("9", { name: "ana" })], { connection: "9" });
  assert.equal(room.self!.connection, "9");
  assert.equal(names(room.members), "2 3 9");
  assert.equal(room.self, room.members[2]);
  assert.deepEqual(all, [], "and nobody who left");
});

test("R3: in a room that began anew everybody is new", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  const fresh = [member("1", { name: "bob", at: 5 }), member("2", { name: "ana", at: 6 })];
  await back(it, fresh, { epoch: "e2", connection: "2", recovered: false, user: fresh[1]!.user });
  assert.equal(room.self!.user.id, "ana");
  assert.deepEqual(room.members.map(({ user }) => user.id), ["bob", "ana"]);
});

test("T5: who loses the right to see the others sees nobody", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  it.socket.tell({ type: "auth", expires_in: null, can: ["subscribe"] });
  assert.deepEqual(room.members, []);
  assert.equal(room.self!.connection, "1");
});

test("leaving empties the room, and tells of nobody as if they had left", async (t) => {
  const it = world(t);
  const room = await it.enter({}, { members: three, occupancy });
  const all = told(room, "status", "leave", "members", "occupancy");
  room.leave();
  assert.deepEqual(all, [["status", "initial"]]);
  assert.deepEqual([room.members, room.users, room.self], [[], [], null]);
  assert.deepEqual(room.occupancy, { connections: 0, users: 0 });
  await settled();
});

test("leaving when a member of the welcome is told of leaves nobody behind", async (t) => {
  const it = world(t);
  const room = it.room();
  room.watch("join", () => room.leave());
  it.socket.welcome({ members: three, occupancy });
  assert.equal(room.status, "initial");
  assert.deepEqual([room.members, room.self], [[], null]);
  assert.deepEqual(room.occupancy, { connections: 0, users: 0 });
});

test("P4: leaving when a member of a list is told of that ends a crowd, or coming back at once, does no harm", async (t) => {
  const it = world(t);
  const room = it.room();
  it.socket.tell(unlisted());
  room.watch("join", () => room.leave());
  it.socket.tell({ type: "members", members: three });
  assert.deepEqual([room.status, room.members, room.self], ["initial", [], null]);

  const other = it.room();
  it.socket.tell(unlisted());
  const statuses = heard(other, "status");
  const end = other.watch("join", () => {
    end();
    other.leave();
    other.connect();
  });
  it.socket.tell({ type: "members", members: three });
  assert.deepEqual(statuses, ["initial", "connecting"]);
  it.socket.welcome({ members: three, occupancy });
  assert.equal(names(other.members), "1 2 3");
});

test("leaving and coming back when a member of the welcome is told of tells of each status once", async (t) => {
  const it = world(t);
  const room = it.room();
  const statuses = heard(room, "status");
  const end = room.watch("join", () => {
    end();
    room.leave();
    room.connect();
  });
  it.socket.welcome({ members: three, occupancy });
  assert.deepEqual(statuses, ["initial", "connecting"]);
});
