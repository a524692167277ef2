// The Next.js example, built, as several people use it in Chromium, against the built Worker in the real runtime.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser } from "./chromium.mjs";
import { numbered, startApp } from "./nextjs.mjs";

const browser = await openBrowser(test);
const app = await startApp(test, browser);

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
  await context.addCookies([cookie]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(`${app.url}/sign-in`);
  assert.deepEqual(await context.cookies(), []);
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
  await app.fill("history", numbered(1, 100));
  const [ana] = await app.in(t, "history", ["Ana"]);
  await ana.seesTexts(numbered(61, 100));
  const line = ana.page.getByText("message 63", { exact: true });
  const log = ana.page.getByTestId("messages");
  await ana.see(() => log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 1), "the end");
  await log.evaluate((box) => box.scrollTo(0, 60));
  const before = await line.boundingBox();
  await ana.seesTexts(numbered(21, 100));
  assert.ok(Math.abs((await line.boundingBox()).y - before.y) <= 1, "what was read moved");
  // Neither does it when somebody writes.
  await app.fill("history", ["message 101"]);
  await ana.page.getByRole("button", { name: "1 new message" }).waitFor();
  assert.ok(Math.abs((await line.boundingBox()).y - before.y) <= 1, "what was read moved");
  await ana.page.getByRole("button", { name: "1 new message" }).click();
  await ana.page.getByText("message 101", { exact: true }).waitFor();
  await log.evaluate((box) => box.scrollTo(0, 0));
  await ana.seesTexts(numbered(1, 101));
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

test("a message that is refused stays, says why, and can be changed, sent again or thrown away", async (t) => {
  const [ana, bo] = await app.in(t, "refused", ["Ana", "Bo"]);
  await ana.say("x".repeat(4_001));
  await ana.page.getByText("It is too long").waitFor();
  await ana.field.fill("and y");
  await ana.page.getByRole("button", { name: "Edit" }).click();
  assert.equal(await ana.field.inputValue(), `${"x".repeat(4_001)}\nand y`);
  assert.deepEqual(await ana.texts("refused"), []);
  await ana.field.press("Enter");
  await ana.page.getByText("It is too long").waitFor();
  await ana.page.getByRole("button", { name: "Discard" }).click();
  await ana.seesTexts([]);
  // What is written while the connection is lost waits, until the room has closed its door.
  await ana.context.route("**/api/roomful", (route) => route.fulfill({ status: 403 }));
  await ana.page.evaluate(() => {
    globalThis.send = WebSocket.prototype.send;
    WebSocket.prototype.send = () => {};
  });
  await ana.say("hello");
  await app.worker.restart();
  await ana.see(async () => (await ana.refusal()) === "auth_failed", "the refusal");
  assert.deepEqual(await ana.texts("refused"), ["hello"]);
  await ana.context.unroute("**/api/roomful");
  await ana.page.evaluate(() => {
    WebSocket.prototype.send = globalThis.send;
  });
  await ana.page.getByTestId("refusal").getByRole("button", { name: "Try again" }).click();
  await ana.connected();
  await ana.page.locator("[data-state=refused]").getByRole("button", { name: "Try again" }).click();
  await bo.seesTexts(["hello"]);
  await ana.seesTexts(["hello"]);
});
