import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, open, placeOf, post, tokenFor } from "./client.mjs";
import { startServer } from "./server.mjs";

const server = await startServer(test, { vars: { GRACE_SECONDS: 600, RECOVER_MESSAGES: 20 } });
/** For those who do not come back in time. Those who do have to, on a busy machine as well. */
const brief = await startServer(test, { vars: { GRACE_SECONDS: 4 } });
const pair = async (room, at = server) => [await join(at, room), await join(at, room, { user: "bob" })];
const say = async (who, ...texts) => {
  for (const text of texts) await who.publish("chat", text);
};
const heard = (who) => who.all("message").map(({ data }) => data);

test("r1 r2 a dropped connection comes back as itself and gets what it missed, unseen by others", async () => {
  const room = freshRoom();
  const [ana, bob] = await pair(room);
  await say(bob, "1", "2");
  await ana.find({ type: "message", offset: 2 });
  ana.drop();
  await say(bob, "3", "4");
  const again = await join(server, room, { resume: placeOf(ana) });
  await say(bob, "5");
  await again.find({ type: "message", offset: 5 });
  assert.equal(again.connection, ana.connection);
  assert.equal(again.welcome.recovered, true);
  assert.deepEqual(
    again.messages.slice(0, 4).map(({ type, offset }) => [type, offset]),
    [
      ["welcome", 4],
      ["message", 3],
      ["message", 4],
      ["message", 5],
    ],
  );
  await bob.settled();
  assert.deepEqual(bob.all("leave").concat(bob.all("join")), []);
  assert.equal(bob.welcome.members.length, 2);
});

test("r1 the secret works as a parameter too, and again and again", async () => {
  const room = freshRoom();
  const ana = await join(server, room, { plain: true });
  let place = placeOf(ana);
  for (let round = 0; round < 3; round++) {
    const again = await join(server, room, { plain: true, resume: place });
    assert.deepEqual([again.connection, again.welcome.recovered], [ana.connection, true]);
    place = placeOf(again);
    again.drop();
  }
  // The first secret is as good as the last.
  assert.equal((await join(server, room, { resume: placeOf(ana) })).connection, ana.connection);
});

test("r1 an older socket of the same session is closed with 4504, and the member stays", async () => {
  const room = freshRoom();
  const [ana, bob] = await pair(room);
  ana.send({ type: "state", state: { x: 1 } });
  await bob.next("states");
  const again = await join(server, room, { resume: placeOf(ana) });
  assert.deepEqual([(await ana.end()).code, ana.closed.reason], [4504, "replaced"]);
  assert.equal(again.connection, ana.connection);
  const own = again.welcome.members.find(({ connection }) => connection === ana.connection);
  assert.deepEqual(own.state, { x: 1 });
  await again.publish("chat", "still here");
  await bob.settled();
  assert.deepEqual(bob.all("leave").concat(bob.all("join")), []);
});

test("r1 another user's secret, a wrong one and one of another room or epoch are worth nothing", async () => {
  const room = freshRoom();
  const [ana, bob] = await pair(room);
  const stranger = await join(server, freshRoom(), { user: "ana" });
  const place = placeOf(ana);
  const stolen = await join(server, room, { user: "bob", resume: place });
  assert.notEqual(stolen.connection, ana.connection);
  const [id, offset, mac] = place.session.split(".");
  const sessions = [
    stranger.welcome.session,
    `${bob.connection}.${offset}.${mac}`,
    `${id}.${offset}.${mac.slice(0, -1)}`,
    `${id}.0.${mac}x`,
    "x",
    "a.b.c",
    "é".repeat(3),
  ].map((session) => encodeURIComponent(session));
  for (const session of sessions) {
    const other = await join(server, room, { plain: true, resume: { ...place, session } });
    assert.equal([ana.connection, bob.connection].includes(other.connection), false, session);
    await other.close();
  }
  assert.equal(ana.closed, undefined);
  const refused = await open(server, room, { token: tokenFor("ana", "elsewhere"), resume: place });
  assert.equal((await refused.end()).code, 4501);
});

test("r2 a client that had seen no message yet recovers, also across a killed server", async () => {
  const room = freshRoom();
  const ana = await join(server, room);
  const place = placeOf(ana);
  assert.equal(place.offset, 0);
  ana.drop();
  const bob = await join(server, room, { user: "bob" });
  await say(bob, "1", "2");
  await server.restart();
  const again = await join(server, room, { resume: place });
  await again.find({ type: "message", offset: 2 });
  assert.deepEqual([again.welcome.recovered, heard(again)], [true, ["1", "2"]]);
});

test("r2 nothing missed is recovered as well", async () => {
  const room = freshRoom();
  const [ana] = await pair(room);
  await say(ana, "1");
  ana.drop();
  const again = await join(server, room, { resume: placeOf(ana) });
  await again.settled();
  assert.deepEqual([again.welcome.recovered, heard(again)], [true, []]);
});

test("r2 without history only a session gets its messages, none from before its beginning", async () => {
  const room = freshRoom();
  const bob = await join(server, room, { user: "bob" });
  await say(bob, "before");
  const options = { claims: { can: ["subscribe"] } };
  const ana = await join(server, room, options);
  const place = placeOf(ana);
  assert.equal(place.offset, 1);
  ana.drop();
  await say(bob, "after");
  const again = await join(server, room, { ...options, resume: place });
  await again.find({ type: "message", offset: 2 });
  assert.deepEqual([again.welcome.recovered, heard(again)], [true, ["after"]]);
  again.drop();
  const greedy = await join(server, room, { ...options, resume: { ...place, offset: 0 } });
  const bare = await join(server, room, { ...options, resume: { epoch: place.epoch, offset: 1 } });
  for (const who of [greedy, bare]) {
    await who.settled();
    assert.deepEqual([who.welcome.recovered, heard(who)], [false, []]);
  }
  // With history neither a session nor a beginning is needed.
  const reader = await join(server, room, { user: "cleo", resume: { epoch: place.epoch, offset: 0 } });
  await reader.find({ type: "message", offset: 2 });
  assert.equal(reader.welcome.recovered, true);
});

test("r3 a gap too large is told, and no part of it is sent", async () => {
  const room = freshRoom();
  const [ana, bob] = await pair(room);
  ana.drop();
  await say(bob, ...Array.from({ length: 20 }, (_, index) => `${index}`));
  const just = await join(server, room, { resume: placeOf(ana) });
  await just.find({ type: "message", offset: 20 });
  assert.equal(just.welcome.recovered, true);
  just.drop();
  await say(bob, "one more");
  const again = await join(server, room, { resume: placeOf(ana) });
  await again.settled();
  assert.deepEqual([again.welcome.recovered, again.welcome.offset, heard(again)], [false, 21, []]);
  assert.equal(again.connection, ana.connection, "the place is kept all the same");
});

test("r3 another epoch, an offset ahead and one that is no number are not recovered", async () => {
  const room = freshRoom();
  const [ana] = await pair(room);
  await say(ana, "1", "2");
  const { epoch } = ana.welcome;
  for (const resume of [
    { epoch: "other", offset: 1 },
    { epoch, offset: 3 },
    { epoch, offset: "x" },
    { epoch, offset: -1 },
    { epoch, offset: "1.0" },
    { epoch, offset: "99999999999999999999" },
    { epoch, offset: "" },
    { epoch },
    { offset: 1 },
  ]) {
    const who = await join(server, room, { resume: JSON.parse(JSON.stringify(resume)) });
    await who.settled();
    assert.deepEqual([who.welcome.recovered, heard(who)], [false, []], JSON.stringify(resume));
    await who.close();
  }
  assert.equal((await join(server, room)).welcome.recovered, null);
});

test("r4 the grace depends on the close code", async () => {
  const room = freshRoom();
  const watching = new Map();
  for (const at of [server, brief]) watching.set(at, await join(at, room, { user: "watch" }));
  /** How long it takes. */
  const leaving = async (at, end) => {
    const watch = watching.get(at);
    const who = await join(at, room);
    const began = Date.now();
    await end(who);
    const left = await watch.find({ type: "leave", connection: who.connection });
    return watch.timeOf(left) - began;
  };
  const [drop, low, away] = await Promise.all([
    leaving(brief, (who) => who.drop()),
    leaving(brief, (who) => who.close(4000)),
    // Nobody waits for the end of a grace of ten minutes.
    leaving(server, (who) => who.close(1001)),
    leaving(server, (who) => who.close(1000)),
    leaving(server, (who) => who.close(undefined)),
    leaving(server, (who) => who.close(4999)),
  ]);
  for (const [name, time] of Object.entries({ drop, low })) assert.ok(time >= 3_990, `${name} ${time}`);
  assert.ok(away >= 1_990, `${away}`);
});

test("r4 who comes back within the grace did not leave, and who comes later joins anew with the old id", async () => {
  const room = freshRoom();
  const [ana, bob] = await pair(room, brief);
  ana.drop();
  await bob.find({ type: "leave", connection: ana.connection });
  const again = await join(brief, room, { resume: placeOf(ana) });
  assert.equal(again.connection, ana.connection);
  assert.equal((await bob.find({ type: "join" })).member.connection, ana.connection);
  await bob.settled();
  assert.equal(bob.all("leave").length, 1);
});

test("r5 after a restart nobody flickers, and who does not come back leaves once", async () => {
  const room = freshRoom();
  const [ana, bob] = await pair(room, brief);
  const gone = await join(brief, room, { user: "gone" });
  for (const who of [ana, bob]) who.send({ type: "state", state: { of: who.welcome.user.id } });
  await ana.settled();
  await brief.restart();
  const back = await join(brief, room, { user: "bob", resume: placeOf(bob) });
  const again = await join(brief, room, { resume: placeOf(ana) });
  assert.deepEqual(
    back.welcome.members.map(({ connection }) => connection),
    [ana.connection, bob.connection, gone.connection],
  );
  await back.find("leave");
  // Longer than the grace: whatever else would leave has left.
  const late = await join(brief, room, { user: "late" });
  await late.close();
  await back.find({ type: "leave", connection: late.connection });
  assert.deepEqual(
    back.all("leave").map(({ connection }) => connection),
    [gone.connection, late.connection],
  );
  assert.deepEqual(
    back.all("join").map(({ member }) => member.connection),
    [late.connection],
  );
  await again.settled();
  assert.deepEqual(
    again.all("leave").map(({ connection }) => connection),
    [gone.connection, late.connection],
  );
});

test("r5 nobody comes back: the room is empty after the grace, without anybody to tell", async () => {
  const room = freshRoom();
  await pair(room, brief);
  await brief.restart();
  const first = await join(brief, room, { user: "first" });
  assert.equal(first.welcome.members.length, 3);
  await first.find((message) => message.type === "leave" && first.all("leave").length === 2);
  const { body } = await get(brief, `/room/${room}/presence`);
  assert.deepEqual(body.occupancy, { connections: 1, users: 1 });
});

test("r6 history is read in pages, forwards and backwards", async () => {
  const room = freshRoom();
  const ana = await join(server, room);
  await say(ana, ..."abcdefghij");
  const page = async (query) => {
    ana.send({ type: "history", id: "h", ...query });
    const { messages, more, epoch } = await ana.next({ type: "history", id: "h" });
    assert.equal(epoch, ana.welcome.epoch);
    return [messages.map(({ data }) => data).join(""), more];
  };
  assert.deepEqual(await page({}), ["abcdefghij", false]);
  assert.deepEqual(await page({ limit: 3 }), ["hij", true]);
  assert.deepEqual(await page({ limit: 3, before: 8 }), ["efg", true]);
  assert.deepEqual(await page({ limit: 3, before: 4 }), ["abc", false]);
  assert.deepEqual(await page({ limit: 3, after: 0 }), ["abc", true]);
  assert.deepEqual(await page({ limit: 3, after: 7 }), ["hij", false]);
  assert.deepEqual(await page({ after: 2, before: 5 }), ["cd", false]);
  assert.deepEqual(await page({ after: 10 }), ["", false]);
  assert.deepEqual(await page({ limit: 500 }), ["abcdefghij", false]);
  for (const query of ["?limit=3", "?limit=3&before=8", "?limit=3&after=7"]) {
    const { body } = await get(server, `/room/${room}/history${query}`);
    assert.equal(body.messages.length, 3, query);
  }
  for (const wrong of [{ limit: -1 }, { limit: "3" }, { after: 1.5 }]) {
    ana.send({ type: "history", id: "w", ...wrong });
    assert.equal((await ana.next({ type: "error", id: "w" })).code, "bad_message", JSON.stringify(wrong));
  }
});

test("r6 n6 a page stops at 256 KiB, and a large one costs its rate", async (t) => {
  const slow = await startServer(t, { vars: { RATE_PER_SECOND: 1, RATE_BURST: 40 } });
  const room = freshRoom();
  const ana = await join(slow, room);
  const admin = { claims: { room, can: ["admin"] } };
  for (let index = 0; index < 10; index++) {
    await post(slow, `/room/${room}/publish`, { event: "e", data: "x".repeat(60_000) }, admin);
  }
  ana.send({ type: "history", id: "h1", after: 0 });
  const page = await ana.next({ type: "history", id: "h1" });
  assert.ok(page.more && page.messages.length >= 4 && page.messages.length <= 5, `${page.messages.length} messages`);
  // 240 KB are 14 messages' worth, and asking is one more.
  ana.send({ type: "history", id: "h2", after: 4 });
  await ana.next({ type: "history", id: "h2" });
  // Had the pages cost as much as two messages, these would pass.
  ana.send(Array(35).fill({ type: "publish", event: "e", ephemeral: true }));
  assert.equal((await ana.next({ type: "error" })).code, "rate_limited");
});
