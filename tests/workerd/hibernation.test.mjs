import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { serveWorker } from "../worker.mjs";
import { freshRoom, get, join, open, placeOf, post, request, tokenFor } from "./client.mjs";
import { sample } from "./exposition.mjs";
import { SECRET } from "./server.mjs";
import { seconds } from "./token.mjs";
import { reach, sleeps, until } from "./until.mjs";

const { server: runtime, url: address } = await serveWorker(test, {
  vars: { ROOMFUL_SECRETS: SECRET, GRACE_SECONDS: 60, MAX_STATE_BYTES: 12_000 },
});
const quick = await serveWorker(test, { vars: { ROOMFUL_SECRETS: SECRET, GRACE_SECONDS: 1, PING_SECONDS: 1 } });
const server = { url: address.origin };

/** Puts a room out of memory, once nothing is pending in it; its sockets live on, or are closed. */
const evict = (room, webSockets = "hibernate", at = runtime) =>
  at.getWorker().evictDurableObject("Room", { name: room, webSockets });

/** What people do in a room, step by step. Each step ends when all have heard of it. */
const steps = {
  "ana joins": async (people, room) => {
    people.ana = await join(server, room, { claims: { info: { name: "Ana" } } });
  },
  "bob joins": async (people, room) => {
    people.bob = await join(server, room, { user: "bob" });
    await people.ana.find("join");
  },
  "ana publishes": ({ ana }) => ana.publish("chat", { text: "é 😀" }, { id: "m1" }),
  "bob sets his state": async ({ bob }) => {
    bob.send({ type: "state", state: { x: 1, y: [2] } });
    await bob.next("states");
  },
  "bob patches his state": async ({ bob }) => {
    bob.send({ type: "state", patch: { x: 2, z: null } });
    await bob.next("states");
  },
  "bob says something ephemeral": ({ bob }) => bob.publish("cursor", [1, 2], { ephemeral: true, id: "m2" }),
  "ana publishes without echo": ({ ana }) => ana.publish("chat", 2, { echo: false, id: "m3" }),
  "bob whispers": ({ ana, bob }) => bob.publish("dm", 3, { to: [ana.connection, "user:bob"], id: "m4" }),
  "ana publishes the same again": ({ ana }) => ana.publish("chat", "again", { id: "m1" }),
  "ana says nonsense": async ({ ana }) => {
    ana.send("nonsense");
    await ana.next({ type: "error", code: "bad_message" });
  },
  "the back-end publishes": async ({ ana }, room) => {
    await post(server, `/room/${room}/publish`, { event: "order", data: 4, except: [ana.connection], id: "m5" });
    await ana.find({ type: "skip", offset: 3 });
  },
  "bob reads the history": async ({ bob }) => {
    bob.send({ type: "history", id: "h1", limit: 2 });
    await bob.next({ type: "history", id: "h1" });
  },
  "ana renews her token": async ({ ana }, room) => {
    ana.send({ type: "auth", token: tokenFor("ana", room, { can: ["subscribe", "publish", "presence"] }) });
    await ana.next("auth");
  },
  "ana asks for what she may not": async ({ ana }) => {
    ana.send({ type: "history", id: "h2" });
    await ana.next({ type: "error", id: "h2" });
  },
  "bob drops and resumes": async (people, room) => {
    const { bob } = people;
    bob.drop();
    await people.ana.publish("chat", "to nobody but herself", { id: "m6" });
    people.bob2 = await join(server, room, { user: "bob", resume: placeOf(bob) });
    await people.bob2.find({ type: "message", offset: 4 });
    delete people.bob;
  },
  "bob publishes what he did before": ({ bob2 }) => bob2.publish("chat", "more", { id: "m7" }),
  "bob comes back in another socket": async (people, room) => {
    people.bob3 = await join(server, room, { user: "bob", resume: placeOf(people.bob2) });
    assert.equal((await people.bob2.end()).code, 4504);
    delete people.bob2;
  },
  "cleo joins without presence": async (people, room) => {
    people.cleo = await join(server, room, { user: "cleo", claims: { can: ["subscribe", "publish"] } });
    await people.cleo.publish("chat", 8);
  },
  "bob leaves": async (people) => {
    await people.bob3.close();
    await people.ana.find("leave");
    delete people.bob3;
  },
  "ana publishes to the rest": ({ ana }) => ana.publish("chat", 9),
  "dora joins, and gets what came after the third message": async (people, room) => {
    people.dora = await join(server, room, { user: "dora", resume: { epoch: people.ana.welcome.epoch, offset: 3 } });
    await people.dora.find({ type: "message", offset: 7 });
  },
  "dora patches her state three times at once": async ({ ana, dora }) => {
    // In one frame: what comes in several may be told in one or in several.
    dora.send([{ x: 1 }, { y: { z: 1 } }, { x: null }].map((patch) => ({ type: "state", patch })));
    await ana.find((message) => message.type === "states" && JSON.stringify(message).includes(`"z":1`));
  },
  "cleo is shown the door for a while": async (people, room) => {
    await post(server, `/room/${room}/disconnect`, { user: "cleo", ban_seconds: 600 });
    assert.equal((await people.cleo.end()).code, 4505);
    delete people.cleo;
  },
  "cleo knocks": async (people, room) => {
    assert.equal((await (await open(server, room, { user: "cleo" })).end()).code, 4502);
  },
  "dora's network is cut, and she comes back to what was said": async (people, room) => {
    people.dora.drop();
    await people.ana.publish("chat", 10, { id: "m8" });
    people.dora2 = await join(server, room, { user: "dora", resume: placeOf(people.dora) });
    await people.dora2.find({ type: "message", data: 10 });
    delete people.dora;
  },
  "the room is deleted": async (people, room) => {
    await request(server, "DELETE", `/room/${room}`);
    for (const name of ["ana", "dora2"]) {
      assert.equal((await people[name].end()).code, 4506);
      delete people[name];
    }
  },
  "eve is the first in the new room": async (people, room) => {
    people.eve = await join(server, room, { user: "eve" });
    await people.eve.publish("chat", 1, { id: "m1" });
  },
};

/** Goes through the steps; gives what each of the connections was told, with ids and times made comparable. */
async function play(between) {
  const room = freshRoom("play");
  const people = {};
  const everybody = {};
  for (const [name, step] of Object.entries(steps)) {
    await step(people, room);
    Object.assign(everybody, people);
    for (const who of Object.values(people)) await who.settled();
    await between(room, name);
  }
  const names = new Map(Object.entries(everybody).map(([name, who]) => [who.connection, name[0]]));
  const told = Object.entries(everybody).map(([name, who]) => [
    name,
    who.messages.map((message) => comparable(message, names)),
  ]);
  return Object.fromEntries(told);
}

/** A message without what differs from one room to the next. */
function comparable(value, names, key) {
  if (["connection", "from"].includes(key)) return names.get(value);
  if (["at", "expires_in", "epoch", "session", "room"].includes(key)) return typeof value;
  if (key === "id" && value.length > 8 && !value.startsWith("fence")) return "made up";
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((element) => comparable(element, names));
  const byConnection = ["states", "patches"].includes(key);
  const entries = Object.entries(value).map(([name, inner]) =>
    byConnection ? [names.get(name), inner] : [name, comparable(inner, names, name)],
  );
  return Object.fromEntries(entries);
}

// Most of it is waiting.
suite("hibernation", { concurrency: true }, () => {
  test("c3 m1 r1 an eviction between any two steps changes nothing of what people are told", async () => {
    const lives = new Map();
    const evicted = async (room) => {
      await evict(room);
      const { body } = await get(server, `/room/${room}`);
      lives.set(room, (lives.get(room) ?? new Set()).add(body.awake_since));
      await evict(room);
    };
    const [plain, hibernating] = await Promise.all([play(async () => {}), play(evicted)]);
    for (const [name, messages] of Object.entries(plain)) assert.deepEqual(hibernating[name], messages, name);
    const [times] = lives.values();
    assert.equal(times.size, Object.keys(steps).length, "the room has had as many lives as there were steps");
  });

  test("c3 ping gets pong without waking the room", async () => {
    const room = freshRoom();
    const ana = await join(server, room);
    await evict(room);
    for (let count = 0; count < 3; count++) {
      ana.send("ping");
      await until(() => ana.all("pong").length === count + 1, "a pong");
    }
    const answered = Date.now();
    await reach(answered + 3);
    const { body } = await get(server, `/room/${room}`);
    assert.ok(body.awake_since > answered, `awake ${answered - body.awake_since} ms before the last pong`);
  });

  test("c3 a room in which people only ping goes to sleep by itself", async () => {
    const room = freshRoom();
    const ana = await join(server, room);
    await ana.publish("chat", 1);
    const pings = setInterval(() => ana.send("ping"), 1_000);
    try {
      await sleeps(async () => (await get(server, `/room/${room}`)).body.awake_since);
    } finally {
      clearInterval(pings);
    }
    assert.equal((await ana.publish("chat", 2)).offset, 2);
  });

  test("h9 c3 a room that is asked for its numbers goes to sleep all the same, and so do the others", async () => {
    const [asked, other] = [freshRoom(), freshRoom()];
    const [ana] = [await join(server, asked), await join(server, other)];
    const started = async (room) => {
      const { body } = await get(server, `/room/${room}/metrics`);
      return sample(body, "roomful_room_start_time_seconds") * 1_000;
    };
    await ana.publish("chat", 1);
    await started(asked);
    await sleeps(async () => Math.min(await started(asked), await started(other)));
    assert.equal((await ana.publish("chat", 2)).offset, 2);
  });

  test("c4 t5 an evicted room wakes for those who fell silent and for tokens that end", async () => {
    const room = freshRoom();
    const at = { url: quick.url.origin };
    const silent = await join(at, room, { user: "silent" });
    const expiring = await join(at, room, { user: "expiring", plain: true, claims: { exp: seconds(1) } });
    const pinging = await join(at, room, { user: "pinging" });
    await evict(room, "hibernate", quick.server);
    const pings = setInterval(() => pinging.send("ping"), 250);
    try {
      assert.equal((await silent.end()).code, 4102);
      assert.equal((await expiring.end()).code, 4001);
    } finally {
      clearInterval(pings);
    }
    assert.equal((await pinging.publish("e", 1)).offset, 1);
  });

  test("p1 r5 states survive an eviction, and one that closes the sockets too once everybody is back", async () => {
    const room = freshRoom();
    const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
    ana.send({ type: "state", state: { mood: "fine" } });
    await bob.next("states");
    await ana.publish("chat", 1);
    await evict(room);
    const state = (who) => who.welcome.members.find(({ connection }) => connection === ana.connection).state;
    const cleo = await join(server, room, { user: "cleo" });
    assert.deepEqual(state(cleo), { mood: "fine" });
    await cleo.close();
    await bob.find("leave");
    const messages = bob.messages.length;
    await evict(room, "close");
    await Promise.all([ana.end(), bob.end()]);
    const [back, again] = [
      await join(server, room, { user: "bob", resume: placeOf(bob) }),
      await join(server, room, { resume: placeOf(ana) }),
    ];
    assert.deepEqual([back.connection, again.connection], [bob.connection, ana.connection]);
    assert.deepEqual([back.welcome.recovered, again.welcome.recovered], [true, true]);
    // P1: a client sends its state again when its own entry differs.
    if (state(again) === null) again.send({ type: "state", state: { mood: "fine" } });
    const late = await join(server, room, { user: "late" });
    await again.settled();
    assert.deepEqual(
      late.welcome.members.map(({ user }) => user.id),
      ["ana", "bob", "late"],
    );
    assert.deepEqual((await get(server, `/room/${room}/presence`)).body.members[0].state, { mood: "fine" });
    assert.deepEqual(bob.messages.slice(messages), []);
    assert.deepEqual(back.all("leave"), []);
  });

  test("c3 p1 states of any alphabet and of any size survive an eviction", async () => {
    const room = freshRoom();
    const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
    // An attachment may have 16,384 bytes as the runtime serializes it; a character takes one byte or two there, and one
    // to four as UTF-8, in which a state may have 12,000.
    for (const [character, count] of [
      ["x", 5], ["x", 7_500], ["x", 8_000], ["x", 11_900],
      ["é", 5], ["é", 5_900], ["語", 5], ["語", 3_900], ["\u{1F600}", 2_900],
    ]) {
      const text = character.repeat(count);
      ana.send({ type: "state", state: text });
      await bob.next("states");
      await ana.settled();
      await evict(room);
      const { members } = (await get(server, `/room/${room}/presence`)).body;
      assert.equal(members[0].state, text, `${count} times ${character}`);
      assert.equal(members[0].connection, ana.connection);
    }
  });

  test("m4 h4 h5 ids, bans and epochs survive an eviction", async () => {
    const room = freshRoom();
    const ana = await join(server, room);
    await ana.publish("chat", 1, { id: "x" });
    await evict(room);
    assert.equal((await ana.publish("chat", 1, { id: "x" })).offset, 1);
    await post(server, `/room/${room}/disconnect`, { user: "eve", ban_seconds: 60 });
    await evict(room);
    assert.equal((await (await open(server, room, { user: "eve" })).end()).code, 4502);
    const { epoch } = ana.welcome;
    await request(server, "DELETE", `/room/${room}`);
    await ana.end();
    await evict(room);
    const fresh = await join(server, room, { resume: placeOf(ana) });
    assert.notEqual(fresh.welcome.epoch, epoch);
    assert.equal(fresh.welcome.recovered, false);
  });
});
