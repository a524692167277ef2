import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { test } from "node:test";
import { build } from "../../scripts/build.mjs";
import { freshRoom, get, join, open, placeOf, post } from "./client.mjs";
import { Crowd } from "./crowd.mjs";
import { sample } from "./exposition.mjs";
import { history } from "./ledger.mjs";
import { startServer } from "./server.mjs";
import { mint } from "./token.mjs";
import { until } from "./until.mjs";

// A build that panics when it is told to: see src/worker/panic_on_purpose.rs.
const FOLDER = "build-panic";
await build({ features: "panic-on-purpose", out: FOLDER });

/** Comes back with its place until that succeeds; gives up after a while. */
async function resume(server, room, who) {
  const options = { user: who.welcome.user.id, resume: placeOf(who) };
  return until(async () => {
    const again = await open(server, room, options);
    if (!(again.socket.readyState === 1)) return false;
    await until(() => again.messages.length || again.closed, "an answer");
    return again.welcome && again;
  }, "a resume");
}

/** Publishes, again after the connection was lost meanwhile; gives the ack, and whose connection it came on. */
async function insist(server, room, who, data) {
  const message = { type: "publish", event: "chat", data, id: `insist ${data}` };
  for (let speaker = who; ; speaker = await resume(server, room, speaker)) {
    if (speaker.socket.readyState === 1) speaker.send(message);
    await until(() => speaker.closed || speaker.all({ id: message.id }).length, "an ack, or the end");
    const [ack] = speaker.all({ id: message.id });
    if (ack) return [ack, speaker];
  }
}

/** Somebody who publishes all the time, and does what every good client does when the connection is lost. */
function talker(server, room, user) {
  const waiting = new Map();
  const acknowledged = new Map();
  let who;
  let count = 0;
  let stopped = false;
  const send = (id) => who.socket.readyState === 1 && who.send({ type: "publish", event: "talk", data: id, id });
  const listen = () => {
    who.socket.on("message", () => {
      for (const { id, offset } of who.all("ack")) {
        waiting.delete(id);
        assert.equal(acknowledged.get(id) ?? offset, offset, "one id, one offset");
        acknowledged.set(id, offset);
      }
    });
  };
  const talk = async () => {
    who = await join(server, room, { user });
    listen();
    while (!stopped || waiting.size > 0) {
      if (who.closed) {
        who = await resume(server, room, who);
        assert.equal(who.welcome.recovered, true);
        listen();
        for (const id of waiting.keys()) send(id);
      }
      if (!stopped) {
        const id = `${user}-${++count}`;
        waiting.set(id, true);
        send(id);
      }
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    return acknowledged;
  };
  const talking = talk();
  return {
    acknowledged,
    stop: () => {
      stopped = true;
      return talking;
    },
  };
}

for (const order of ["panic now", "panic in a task"]) {
  test(`m5 e4 "${order}": its room is back, a quiet one is untouched, a busy one loses nothing`, async (t) => {
    const server = await startServer(t, { folder: FOLDER, vars: { GRACE_SECONDS: 60, HISTORY_MESSAGES: 100_000 } });
    const [room, quiet, busy] = [freshRoom("panicking"), freshRoom("quiet"), freshRoom("busy")];
    const cleo = await join(server, quiet, { user: "cleo" });
    cleo.send({ type: "state", state: { calm: true } });
    await cleo.next("states");
    const dora = talker(server, busy, "dora");
    t.after(() => dora.stop().catch(() => {}));
    const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob" })];
    const acks = [];
    for (let index = 0; index < 5; index++) acks.push(await ana.publish("chat", `before ${index}`));
    // Attachments are written within a second; a room that still has to is a busy one.
    const calm = Date.now() + 4_000;
    await until(() => Date.now() > calm && dora.acknowledged.size > 20, "a quiet room and a busy one");

    ana.send(order);
    await Promise.all([ana.end(), bob.end()]);
    for (const who of [ana, bob]) assert.ok(who.closed.code < 4_000, `${who.closed.code} lets a client reconnect`);
    const [again, other] = await Promise.all([resume(server, room, ana), resume(server, room, bob)]);
    assert.deepEqual([again.welcome.recovered, other.welcome.recovered], [true, true]);
    assert.deepEqual([again.connection, other.connection], [ana.connection, bob.connection]);
    assert.equal((await again.publish("chat", "after")).offset, 6);
    await other.find({ type: "message", data: "after" });
    const { messages } = (await get(server, `/room/${room}/history?after=0`)).body;
    for (const [index, { offset }] of acks.entries()) assert.equal(messages[offset - 1].data, `before ${index}`);

    assert.equal(cleo.closed, undefined);
    assert.equal((await cleo.publish("chat", "calm")).offset, 1);
    const late = await join(server, quiet, { user: "late" });
    assert.deepEqual(late.welcome.members[0].state, { calm: true });
    await cleo.find("join");

    const size = dora.acknowledged.size;
    await until(() => dora.acknowledged.size > size + 20, "the busy room to go on");
    const acknowledged = await dora.stop();
    const talk = await history(server, busy);
    const offsets = new Map(talk.map(({ data, offset }) => [data, offset]));
    assert.equal(offsets.size, talk.length, "every message once");
    for (const [id, offset] of acknowledged) assert.equal(offsets.get(id), offset);
  });
}

test("e4 streams that were closed before a panic elsewhere end nobody's connection after it", async (t) => {
  const server = await startServer(t, { folder: FOLDER, vars: { GRACE_SECONDS: 60, PING_SECONDS: 2 } });
  const [room, quiet] = [freshRoom("panicking"), freshRoom("quiet")];
  const query = new URLSearchParams({ token: mint({ sub: "listener", room: quiet }) });
  const deaf = [];
  t.after(() => deaf.forEach((stream) => stream.destroy()));
  // Of some of them more is unread than the kernel takes, and less than what is dropped.
  for (let streams = 0; streams < 20; streams++) {
    const options = { agent: false, headers: { accept: "text/event-stream" } };
    const stream = http.get(`${server.url}/room/${quiet}?${query}`, options);
    deaf.push(stream);
    stream.on("error", () => {});
    await once(stream, "response");
    const data = "x".repeat(60_000);
    for (let said = 0; said < 8; said++) {
      await post(server, `/room/${quiet}/publish`, { event: "e", data, ephemeral: true });
    }
  }
  await post(server, `/room/${quiet}/disconnect`, { user: "listener" });
  const people = [];
  for (const _ of deaf) people.push(await join(server, quiet, { user: "cleo" }));
  // Without timers: comments for streams, attachments to be written.
  const calm = Date.now() + 4_000;
  await until(() => Date.now() > calm, "a quiet room");
  const closed = sample((await get(server, `/room/${quiet}/metrics`)).body, "roomful_room_closed_sockets");
  assert.ok(closed > 0, "all of them have ended");

  const ana = await join(server, room);
  ana.send("panic now");
  // In a life that followed on a lost instance they would have the streams' links.
  await Promise.all([ana, ...people].map((who) => who.end()));
  for (const stream of deaf) stream.destroy();
  for (const [number, who] of people.entries()) await insist(server, quiet, who, number);
});

test("m5 e4 panic after panic", async (t) => {
  const server = await startServer(t, { folder: FOLDER, vars: { GRACE_SECONDS: 5 } });
  const rooms = [freshRoom("panicking"), freshRoom("panicking")];
  const people = await Promise.all(rooms.map((room) => join(server, room)));
  for (let round = 0; round < 4; round++) {
    const index = round % 2;
    // Whether the other room is cut off as well, and how late that is known, depends on what it was doing.
    const [, who] = await insist(server, rooms[index], people[index], round);
    who.send(["panic in a task", "panic now", "panic now", "panic in a task"][round]);
    await who.end();
    people[index] = await resume(server, rooms[index], who);
  }
  for (const [index, who] of people.entries()) {
    assert.equal((await insist(server, rooms[index], who, "well"))[0].offset, 3);
  }
});

test("m4 m5 r1 r2 p5 a crowd that talks all the time outlives its room's panics: nothing is lost, nobody is seen leaving", async (t) => {
  const server = await startServer(t, { folder: FOLDER, vars: { GRACE_SECONDS: 60, RATE_BURST: 10_000 } });
  const crowd = await new Crowd(server, freshRoom("crowd")).join(6);
  t.after(() => crowd.disperse());
  crowd.talk(10);
  for (const order of ["panic now", "panic in a task", "panic now"]) {
    const { acks } = crowd.ledger;
    await until(() => crowd.ledger.acks > acks + 50 && crowd.waiting > 0, "a room that works, and has something to do");
    const wanted = crowd.people.map(({ resumes }) => resumes + 1);
    const saboteur = await join(server, crowd.room, { user: "saboteur", claims: { can: ["publish"] } });
    saboteur.send(order);
    await saboteur.end();
    // Who is still away would not notice the next one.
    await until(() => crowd.people.every(({ resumes }, index) => resumes >= wanted[index]), "all to be back");
  }
  const { acks } = crowd.ledger;
  await until(() => crowd.ledger.acks > acks + 50, "the crowd to go on");
  const messages = await crowd.agree();
  assert.equal(messages.length, crowd.ledger.acks);
  assert.deepEqual(crowd.flickered, []);
  for (const who of crowd.people) assert.equal(who.resumes, 3, JSON.stringify(who.closes));
});
