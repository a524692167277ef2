// The Next.js example when the network or the Worker goes away.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser } from "./chromium.mjs";
import { numbered, startApp } from "./nextjs.mjs";

const browser = await openBrowser(test);
const app = await startApp(test, browser, { vars: { RECOVER_MESSAGES: "20", GRACE_SECONDS: "60" } });

test("a Worker that was killed has everybody back where they were", async (t) => {
  const [ana, bo] = await app.in(t, "killed", ["Ana", "Bo"]);
  await ana.say("before");
  for (const person of [ana, bo]) await person.seesTexts(["before"]);
  await ana.watch();
  await bo.watch();
  await app.worker.kill();
  await ana.lost();
  await bo.lost();
  await ana.say("to nobody");
  await ana.see(async () => (await ana.banner()) === "lost", "the banner");
  assert.deepEqual(await ana.texts("unsent"), ["to nobody"]);
  await app.worker.start();
  await ana.connected();
  await bo.connected();
  await ana.seesTexts(["before", "to nobody"]);
  await bo.seesTexts(["before", "to nobody"]);
  await ana.see(async () => (await ana.changes()).banners.includes("restored"), "the good news");
  await ana.seesPeople("Ana", "Bo");
  for (const person of [ana, bo]) {
    const { removed, added } = await person.changes();
    assert.deepEqual([removed, added.length], [[], 1]);
  }
});

test("what both say while one of them is offline is there once, and in one order", async (t) => {
  const [ana, bo] = await app.in(t, "both", ["Ana", "Bo"]);
  await ana.say("before");
  for (const person of [ana, bo]) await person.seesTexts(["before"]);
  await ana.watch();
  await bo.watch();
  await ana.context.setOffline(true);
  await ana.lost();
  for (let n = 1; n <= 4; n += 1) {
    await ana.say(`Ana ${n}`);
    await bo.say(`Bo ${n}`);
  }
  await bo.seesTexts(["before", ...["Bo 1", "Bo 2", "Bo 3", "Bo 4"]]);
  await bo.context.setOffline(true);
  await bo.lost();
  await bo.say("Bo, offline, too");
  await ana.context.setOffline(false);
  await ana.connected();
  await ana.say("Ana, back");
  await bo.context.setOffline(false);
  const said = ["before", "Bo 1", "Bo 2", "Bo 3", "Bo 4", "Ana 1", "Ana 2", "Ana 3", "Ana 4"];
  await ana.see(async () => (await ana.texts()).length === 11, "11 messages");
  const seen = await ana.texts();
  assert.deepEqual(seen.slice(0, 9), said);
  assert.deepEqual(seen.slice(9).sort(), ["Ana, back", "Bo, offline, too"]);
  await bo.seesTexts(seen);
  for (const [person, other] of [[ana, bo], [bo, ana]]) {
    await person.seesPeople(person.name, other.name);
    const { removed, added } = await person.changes();
    // One's own move behind those that were earlier.
    assert.deepEqual(removed.filter((text) => !text.includes(`${person.name}, `) && !text.includes(`${person.name} `)), []);
    assert.deepEqual(added.filter((text) => text === other.name), []);
  }
});

test("who was offline misses nothing; who missed too much is told, and sees the end", async (t) => {
  const [ana] = await app.in(t, "offline", ["Ana"]);
  await ana.context.setOffline(true);
  await ana.lost();
  await ana.say("while offline");
  await app.fill("offline", numbered(1, 5));
  await ana.context.setOffline(false);
  await ana.seesTexts([...numbered(1, 5), "while offline"]);
  await ana.context.setOffline(true);
  await ana.lost();
  await app.fill("offline", numbered(6, 60));
  await ana.context.setOffline(false);
  await ana.connected();
  await ana.seesTexts(numbered(21, 60));
  await ana.see(async () => (await ana.banner()) === "missed", "the banner");
  await ana.page.getByTestId("messages").evaluate((box) => box.scrollTo(0, 0));
  await ana.seesTexts([...numbered(1, 5), "while offline", ...numbered(6, 60)]);
});

test("the dashboard follows a room by server-sent events", async (t) => {
  const ana = await app.person(t, "Ana", { path: "/dashboard?room=design" });
  const sockets = [];
  ana.page.on("websocket", ({ url }) => sockets.push(url()));
  await ana.page.reload();
  const number = async (id) => ana.page.getByTestId(id).textContent();
  await ana.see(async () => (await number("stream")) === "Live", "the stream");
  await app.fill("design", numbered(1, 7));
  await ana.see(async () => (await number("total")) === "7", "seven messages");
  assert.equal(await number("voices"), "1");
  await app.worker.kill();
  await ana.see(async () => (await number("stream")) === "Connecting", "the loss");
  await app.worker.start();
  await app.fill("design", ["while away"]);
  await ana.see(async () => (await number("total")) === "8", "what was said meanwhile to be counted");
  assert.deepEqual(sockets, []);
});
