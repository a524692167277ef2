// The Next.js example, built, as several people use it in Chromium, against the built Worker in the real runtime.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/project.mjs";
import { openBrowser } from "./chromium.mjs";
import { startApp } from "./nextjs.mjs";

const browser = await openBrowser(test);
const app = await startApp(test, browser, { vars: { RECOVER_MESSAGES: "20" } });

const numbered = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => `message ${from + index}`);

/** Writes to a room as somebody who is not in it. */
const fill = (room, texts) =>
  app.roomful.publishBatch(
    texts.map((text) => ({ room: `room:${room}`, event: "chat", data: { text, key: text } })),
  );

test("whoever is not signed in is asked for a name, and gets no token", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${app.url}/room/general`);
  await page.waitForURL(`${app.url}/sign-in?next=%2Froom%2Fgeneral`);
  const ask = (request, room) => request.post(`${app.url}/api/roomful`, { data: { room } });
  assert.equal((await ask(context.request, "lobby")).status(), 401);
  await page.getByLabel("Your name").fill("Ana");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${app.url}/room/general`);
  assert.equal((await ask(context.request, "room:general")).status(), 200);
  assert.equal((await ask(context.request, "somebody-elses")).status(), 403);
  const [cookie] = await context.cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ["session", true, "Lax"]);
  await context.addCookies([{ ...cookie, value: `${cookie.value.slice(0, -2)}AA` }]);
  assert.equal((await ask(context.request, "lobby")).status(), 401);
});

test("messages settle in one order for everybody, and whoever comes later finds them", async (t) => {
  const [ana, bo] = await app.in(t, "order", ["Ana", "Bo"]);
  await ana.watch();
  const speak = async (person) => {
    for (let n = 1; n <= 6; n += 1) await person.say(`${person.name} ${n}`);
  };
  await Promise.all([speak(ana), speak(bo)]);
  await ana.see(async () => (await ana.texts()).length === 12, "12 messages");
  const seen = await ana.texts();
  await bo.seesTexts(seen);
  const { removed } = await ana.changes();
  // One's own move down while others' come in between; nothing is there twice or goes away.
  assert.deepEqual(removed.filter((text) => !text.includes("Ana ")), []);
  const [cy] = await app.in(t, "order", ["Cy"]);
  await cy.seesTexts(seen);
});

test("people, their tabs, pointers and typing", async (t) => {
  const [ana, bo] = await app.in(t, "people", ["Ana Lind", "Bo"]);
  await ana.seesPeople("Ana Lind", "Bo");
  await bo.seesPeople("Bo", "Ana Lind");
  const tab = await ana.tab();
  await bo.seesPeople("Bo", "Ana Lind (2 tabs)");
  await tab.page.close();
  await bo.seesPeople("Bo", "Ana Lind");

  const pane = await ana.page.getByTestId("messages").boundingBox();
  await ana.page.mouse.move(pane.x + pane.width / 2, pane.y + pane.height / 4);
  const cursor = bo.page.getByTestId("cursor");
  await bo.see(async () => {
    const box = (await cursor.count()) === 1 && (await cursor.boundingBox());
    return box && Math.abs(box.x - pane.x - pane.width / 2) < 2 && Math.abs(box.y - pane.y - pane.height / 4) < 2;
  }, "the pointer");
  assert.equal(await cursor.textContent(), "Ana Lind");
  await ana.page.mouse.move(5, 5);
  await bo.see(async () => (await cursor.count()) === 0, "the pointer to leave");

  const typing = () => bo.page.getByTestId("typing").textContent();
  await ana.field.pressSequentially("So");
  await bo.see(async () => (await typing()) === "Ana Lind is typing …", "Ana to type");
  await ana.field.press("Enter");
  await bo.see(async () => (await typing()) === "", "Ana to have typed");
  await ana.context.close();
  await bo.seesPeople("Bo");
});

test("the lobby tells who is in which room", async (t) => {
  const ana = await app.person(t, "Ana");
  const bo = await app.person(t, "Bo");
  const count = (room) => ana.page.getByTestId(`count ${room}`).textContent();
  await ana.see(async () => (await count("coffee")) === "Nobody here yet", "an empty room");
  await bo.page.getByRole("link", { name: /coffee/ }).click();
  await ana.see(async () => (await count("coffee")) === "1 here", "Bo in the room");
  await ana.page.getByLabel("Open a room by name").fill("Friday Demo!");
  await ana.page.keyboard.press("Enter");
  await ana.page.waitForURL(`${app.url}/room/friday-demo`);
  await bo.page.getByRole("link", { name: "Rooms", exact: true }).click();
  await bo.see(async () => (await bo.page.getByTestId("count friday-demo").textContent()) === "1 here", "Ana's room");
});

test("older messages come when one scrolls, and what one reads stays where it is", async (t) => {
  await fill("history", numbered(1, 100));
  const [ana] = await app.in(t, "history", ["Ana"]);
  await ana.seesTexts(numbered(61, 100));
  const line = ana.page.getByText("message 63", { exact: true });
  const log = ana.page.getByTestId("messages");
  assert.ok(await log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 1), "not at the end");
  await log.evaluate((box) => box.scrollTo(0, 60));
  const before = await line.boundingBox();
  await ana.seesTexts(numbered(21, 100));
  assert.ok(Math.abs((await line.boundingBox()).y - before.y) <= 1, "what was read moved");
  // Neither does it when somebody writes.
  await fill("history", ["message 101"]);
  await ana.page.getByRole("button", { name: "1 new message" }).waitFor();
  assert.ok(Math.abs((await line.boundingBox()).y - before.y) <= 1, "what was read moved");
  await ana.page.getByRole("button", { name: "1 new message" }).click();
  await ana.page.getByText("message 101", { exact: true }).waitFor();
  await log.evaluate((box) => box.scrollTo(0, 0));
  await ana.seesTexts(numbered(1, 101));
});

test("a Worker that was killed has everybody back where they were", async (t) => {
  const [ana, bo] = await app.in(t, "killed", ["Ana", "Bo"]);
  await ana.say("before");
  await bo.seesTexts(["before"]);
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
  await ana.see(async () => (await ana.banner()) === "restored", "the good news");
  await ana.seesPeople("Ana", "Bo");
  for (const person of [ana, bo]) {
    const { removed, added } = await person.changes();
    assert.deepEqual([removed, added.length], [[], 1]);
  }
});

test("who was offline misses nothing; who missed too much is told, and sees the end", async (t) => {
  const [ana] = await app.in(t, "offline", ["Ana"]);
  await ana.context.setOffline(true);
  await ana.lost();
  await ana.say("while offline");
  await fill("offline", numbered(1, 5));
  await ana.context.setOffline(false);
  await ana.seesTexts([...numbered(1, 5), "while offline"]);
  await ana.context.setOffline(true);
  await ana.lost();
  await fill("offline", numbered(6, 60));
  await ana.context.setOffline(false);
  await ana.connected();
  await ana.seesTexts(numbered(21, 60));
  await ana.see(async () => (await ana.banner()) === "missed", "the banner");
  await ana.page.getByTestId("messages").evaluate((box) => box.scrollTo(0, 0));
  await ana.seesTexts([...numbered(1, 5), "while offline", ...numbered(6, 60)]);
});

test("the server announces, and nobody else can", async (t) => {
  const [ana, bo] = await app.in(t, "announce", ["Ana", "Bo"]);
  await ana.field.fill("The build is done");
  await ana.page.getByRole("button", { name: /^Announce/ }).click();
  await bo.page.getByText("Announcement by Ana").waitFor();
  await bo.seesTexts(["The build is done"]);
  // With a token like any page's.
  const { token } = await (await bo.context.request.post(`${app.url}/api/roomful`, { data: { room: "room:announce" } })).json();
  const forged = { event: "announcement", data: { text: "Send me money", by: "Ana" } };
  const response = await fetch(`${app.worker.url}/room/room:announce/publish`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(forged),
  });
  assert.equal(response.status, 200);
  await ana.say("after");
  await bo.seesTexts(["The build is done", "after"]);
});

test("who is removed, banned or left without a room is told so", async (t) => {
  const [ana, bo] = await app.in(t, "door", ["Ana", "Bo"]);
  const menu = () => ana.page.getByRole("button", { name: "Remove Bo …" }).click();
  await ana.seesPeople("Ana", "Bo");
  await menu();
  await ana.page.getByRole("button", { name: "Remove", exact: true }).click();
  await bo.see(async () => (await bo.refusal()) === "removed", "to be removed");
  assert.match(await bo.page.getByTestId("refusal").textContent(), /Removed by Ana\./);
  await ana.seesPeople("Ana");
  await bo.page.getByRole("button", { name: "Enter again" }).click();
  await ana.seesPeople("Ana", "Bo");
  await menu();
  await ana.page.getByRole("button", { name: "Ban for a minute" }).click();
  await bo.see(async () => (await bo.refusal()) === "removed", "to be removed");
  await bo.page.getByRole("button", { name: "Enter again" }).click();
  await bo.see(async () => (await bo.refusal()) === "banned", "to be banned");
  await app.roomful.deleteRoom("room:door");
  await ana.see(async () => (await ana.refusal()) === "room_deleted", "the end of the room");
  await ana.page.getByRole("button", { name: "Begin anew" }).click();
  await ana.connected();
  await ana.say("anew");
  await ana.seesTexts(["anew"]);
});

test("the dashboard follows a room by server-sent events", async (t) => {
  const ana = await app.person(t, "Ana", { path: "/dashboard?room=design" });
  const number = async (id) => ana.page.getByTestId(id).textContent();
  await ana.see(async () => (await number("stream")) === "Live", "the stream");
  await fill("design", numbered(1, 7));
  await ana.see(async () => (await number("total")) === "7", "seven messages");
  assert.equal(await number("voices"), "1");
  await app.worker.restart();
  await ana.see(async () => (await number("stream")) === "Connecting", "the loss");
  await fill("design", ["while away"]);
  await ana.see(async () => (await number("total")) === "8", "what was said meanwhile to be counted");
});

test("it fits a phone, and light and dark", async (t) => {
  const folder = at("test-results");
  mkdirSync(folder, { recursive: true });
  const phone = { viewport: { width: 375, height: 667 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const [ana] = await app.in(t, "looks", ["Ana Lind"], { colorScheme: "light" });
  const [bo] = await app.in(t, "looks", ["Bo"], { colorScheme: "dark" });
  const [cy] = await app.in(t, "looks", ["Cyprian Maximilian von Hohenstein"], phone);
  await ana.say("Has anybody seen the new onboarding? I think the second step asks too much.");
  await bo.seesTexts(["Has anybody seen the new onboarding? I think the second step asks too much."]);
  await bo.say("Yes. Half of them leave there.");
  await bo.say("Let us move the company’s address to the invoice, where people expect it anyway. Nobody knows their VAT number by heart.");
  await cy.see(async () => (await cy.texts()).length === 3, "three messages");
  await cy.say(`https://example.com/${"a-very-long-address/".repeat(6)}`);
  await ana.field.fill("Onboarding review moves to 15:00, in the big room.");
  await ana.page.getByRole("button", { name: /^Announce/ }).click();
  for (const person of [ana, bo, cy]) await person.see(async () => (await person.texts()).length === 5, "five messages");
  await ana.page.mouse.move(480, 330);
  await bo.page.mouse.move(700, 500);
  await bo.field.pressSequentially("Well");
  for (const [name, { page }] of Object.entries({ light: ana, dark: bo, phone: cy })) {
    await page.screenshot({ path: `${folder}/nextjs-room-${name}.png` });
    for (const [place, label] of [["/", "lobby"], ["/dashboard?room=looks", "dashboard"], ["/room/looks", "room"]]) {
      if (label !== "room") {
        await page.goto(app.url + place);
        await page.waitForLoadState("networkidle");
        await page.screenshot({ path: `${folder}/nextjs-${label}-${name}.png` });
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${label} is ${wide} px too wide for ${name}`);
    }
  }
});
