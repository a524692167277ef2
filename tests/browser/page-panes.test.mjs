// The first page with two people side by side, as people use it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../workerd/server.mjs";
import { openBrowser } from "./chromium.mjs";
import { sitDown, sitTogether } from "./person.mjs";

const vars = { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true", GRACE_SECONDS: "3" };
const server = await startServer(test, { vars });
/** Whose grace nobody waits for, and whom no busy machine keeps away for so long. */
const patient = await startServer(test, { vars: { ...vars, GRACE_SECONDS: "600" } });
const browser = await openBrowser(test);

const beside = (t, room, place = server) => sitTogether(t, browser, place, { room });

const numbered = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => `message ${from + index}`);

test("who just comes sees two people, and who follows a link to a room is one more", async (t) => {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(server.url);
  await page.waitForSelector(".pane >> nth=1");
  assert.equal(new URL(page.url()).search, "?room=lobby&user=ana&user=bob");
  assert.deepEqual(await page.locator(".pane").evaluateAll((panes) => panes.map((pane) => pane.ariaLabel)), ["ana", "bob"]);
  await page.click("#invite");
  const [another] = await Promise.all([page.waitForEvent("popup"), page.click("text=Join as somebody else")]);
  await another.waitForSelector(".pane[data-status=connected]");
  assert.equal(await another.locator(".pane").count(), 1);
  assert.match(new URL(another.url()).search, /^\?room=lobby&user=[a-z]+-[a-z]+$/);
  await page.waitForSelector(".pane >> nth=0 >> .members li >> nth=2");
  await another.close();
});

test("one person becomes two and one again, and the one stays where they were", async (t) => {
  const ana = await sitDown(t, browser, server, { room: "views", user: "ana" });
  await ana.say("before");
  await ana.seesMessages(["before"]);
  await ana.page.click("text=Two people");
  await ana.notices(/^Back as connection .+, having missed nothing \(R2\)/);
  await ana.seesPeople("ana you", "bob");
  await ana.seesMessages(["before"]);
  await ana.page.click("text=One person");
  await ana.seesPeople("ana you");
  assert.equal(new URL(ana.page.url()).search, "?room=views&user=ana");
});

test("M1, P1, P2: two people side by side see each other's messages, pointers and typing", async (t) => {
  const [ana, bo] = await beside(t, "beside");
  await ana.seesPeople("ana you", "bo");
  await bo.seesPeople("ana", "bo you");
  await ana.say("from ana");
  await bo.seesMessages(["from ana"]);
  await bo.say("from bo");
  await ana.seesMessages(["from ana", "from bo"]);
  await bo.seesMessages(["from ana", "from bo"]);
  assert.deepEqual(await ana.part(".own .said").allTextContents(), ["from ana"]);
  assert.deepEqual(await bo.part(".own .said").allTextContents(), ["from bo"]);

  const from = await ana.part(".chat").boundingBox();
  const to = await bo.part(".chat").boundingBox();
  await ana.page.mouse.move(from.x + from.width / 3, from.y + from.height / 2);
  await bo.see(async () => {
    const box = (await bo.part(".cursors > *").count()) === 1 && (await bo.part(".cursors > *").boundingBox());
    return box && Math.abs(box.x - to.x - to.width / 3) < 2 && Math.abs(box.y - to.y - to.height / 2) < 2;
  }, "ana's pointer in bo's pane");
  assert.equal(await ana.part(".cursors > *").count(), 0);
  await bo.page.mouse.move(to.x + 50, to.y + 50);
  await ana.see(async () => (await ana.part(".cursors > *").textContent()) === "bo", "bo's pointer in ana's pane");
  await bo.see(async () => (await bo.part(".cursors > *").count()) === 0, "ana's pointer to leave bo's pane");

  await bo.part(".text").pressSequentially("Well");
  await ana.see(async () => (await ana.part(".typing").textContent()) === "bo is typing…", "bo to type");
  assert.equal(await bo.part(".typing").textContent(), "");
});

test("R1, R2, R4: who is cut off comes back at once where they were, and nobody else notices", async (t) => {
  const [ana, bo] = await beside(t, "cut", patient);
  await ana.say("message 1");
  await bo.seesMessages(["message 1"]);
  await ana.page.evaluate(() => {
    globalThis.changes = [];
    const observer = new MutationObserver((records) => globalThis.changes.push(...records.map(({ type }) => type)));
    observer.observe(document.querySelector(".pane .members"), { childList: true });
  });
  for (const n of [2, 3, 4]) {
    await bo.press("Cut");
    await ana.say(`message ${n}`);
    await bo.notices(/^Back as connection .+, having missed (nothing|a message, which follows) \(R2\)\.$/);
    await bo.connected();
    await bo.seesMessages(numbered(1, n));
  }
  await ana.seesMessages(numbered(1, 4));
  assert.deepEqual(await ana.page.evaluate(() => globalThis.changes), []);
  assert.equal(await ana.status(), "Connected");
});

test("R2, R4, M4: offline, messages wait; online again, they go out once, and what others said is there", async (t) => {
  const [ana, bo] = await beside(t, "unplugged");
  await ana.say("before");
  await bo.seesMessages(["before"]);
  await ana.press("Offline");
  await ana.notices(/^Offline: what you write waits/);
  await bo.say("meanwhile 1");
  await bo.say("meanwhile 2");
  await ana.say("waited 1");
  await ana.say("waited 2");
  await bo.seesMessages(["before", "meanwhile 1", "meanwhile 2"]);
  // What makes others try at once does not concern it. And after the grace ana is gone.
  await ana.page.evaluate(() => globalThis.dispatchEvent(new Event("online")));
  await bo.seesPeople("bo you");
  assert.equal(await ana.status(), "Offline");
  assert.equal(await ana.unsent(), 2);
  assert.deepEqual(await ana.messages(), ["before"]);
  await ana.press("Go online");
  const all = ["before", "meanwhile 1", "meanwhile 2", "waited 1", "waited 2"];
  await ana.notices(/having missed 2 messages, which follow/);
  await ana.seesMessages(all);
  await bo.seesMessages(all);
  await bo.seesPeople("ana", "bo you");
});

test("R4: who leaves is gone at once, and who joins again has the messages", async (t) => {
  const [ana, bo] = await beside(t, "leaving", patient);
  await ana.say("before");
  await bo.seesMessages(["before"]);
  await ana.press("Leave");
  await bo.seesPeople("bo you");
  assert.equal(await ana.status(), "Left");
  await bo.say("meanwhile");
  await ana.part(".leave").click();
  await bo.seesPeople("ana", "bo you");
  await ana.seesMessages(["before", "meanwhile"]);
});

test("H5, E2, R3: a room that is forgotten tells everybody, and they begin anew", async (t) => {
  const [ana, bo] = await beside(t, "forgotten");
  await ana.say("before");
  await bo.seesMessages(["before"]);
  await ana.press("Forget…");
  await ana.page.click("dialog >> text=Cancel");
  await ana.press("Forget…");
  assert.deepEqual([await ana.status(), await bo.status()], ["Connected", "Connected"]);
  await ana.page.click("dialog >> text=Forget it");
  for (const person of [ana, bo]) {
    await person.notices(/^The room was deleted/);
    assert.equal(await person.status(), "Disconnected");
  }
  for (const person of [ana, bo]) {
    await person.press("Start anew");
    await person.connected();
  }
  await bo.say("after");
  await ana.seesMessages(["after"]);
  await bo.seesMessages(["after"]);
  await ana.seesPeople("ana you", "bo");
});

test("M1, M6: fifty messages at once arrive in order, and both see the last one", async (t) => {
  const [ana, bo] = await beside(t, "fifty");
  await ana.press("Send 50");
  const all = Array.from({ length: 50 }, (_, index) => `${index + 1} of 50`);
  for (const person of [ana, bo]) {
    await person.seesMessages(all);
    const atEnd = () => person.part(".log").evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2);
    await person.see(atEnd, "the last message to be in view");
  }
});

test("R1, R4: a reload keeps both places", async (t) => {
  const [ana, bo] = await beside(t, "reloaded", patient);
  const witness = await sitDown(t, browser, patient, { room: "reloaded", user: "cy" });
  await ana.say("before");
  await witness.seesMessages(["before"]);
  await witness.press("Frames");
  await ana.page.reload();
  for (const person of [ana, bo]) {
    await person.connected();
    await person.notices(/^Back as connection/);
    await person.seesMessages(["before"]);
  }
  await ana.say("after");
  await witness.seesMessages(["before", "after"]);
  assert.equal(await witness.frame("↓", "leave").count(), 0);
});

test("the charts follow what happens", async (t) => {
  const [ana, bo] = await beside(t, "charts");
  const drawn = (person, chart) =>
    person.part(`.${chart} path`).evaluateAll((paths) => paths.map((path) => path.getAttribute("d")).join());
  const label = (person, chart) => person.part(`.${chart} svg`).getAttribute("aria-label");
  const before = await drawn(bo, "rate");
  await ana.press("Send 50");
  const most = async () => Math.max(...(await label(ana, "rate")).match(/\d+/g));
  await ana.see(async () => (await most()) >= 50, async () => `50 frames, and saw "${await label(ana, "rate")}"`);
  await bo.see(async () => (await drawn(bo, "rate")) !== before, "bo's chart to move");
  const times = /^From ping to pong [\d.]+ ms, from publish to ack [\d.]+ ms$/;
  await ana.see(async () => times.test(await label(ana, "latency")), async () => `times in "${await label(ana, "latency")}"`);
  assert.match(await label(bo, "latency"), /from publish to ack – ms$/);
  const then = await drawn(ana, "rate");
  await ana.see(async () => (await drawn(ana, "rate")) !== then, "time to pass in ana's chart");
});
