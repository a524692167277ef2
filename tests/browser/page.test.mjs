// The first page, as people use it: several of them, in Chromium, against the built Worker in the real runtime.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/project.mjs";
import { startServer } from "../workerd/server.mjs";
import { openBrowser } from "./chromium.mjs";
import { sitDown, tooWide } from "./person.mjs";

const vars = {
  ROOMFUL_SECRETS: undefined,
  ROOMFUL_ANONYMOUS: "true",
  GRACE_SECONDS: "3",
  RECOVER_MESSAGES: "20",
};
const server = await startServer(test, { vars });
const browser = await openBrowser(test);

/** Two people in a room of the test's own, and at the end a look at whether their pages made mistakes. */
async function two(t, room, { ana = {}, bo = {}, at: place = server } = {}) {
  const people = [
    await sitDown(t, browser, place, { room, user: "ana", ...ana }),
    await sitDown(t, browser, place, { room, user: "bo", ...bo }),
  ];
  t.after(() => assert.deepEqual(people.flatMap(({ mistakes }) => mistakes), []));
  return people;
}

const numbered = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => `message ${from + index}`);

async function publish(room, ...texts) {
  const messages = texts.map((text) => ({ room, event: "chat", data: { text } }));
  const response = await fetch(`${server.url}/publish?user=cy`, { method: "POST", body: JSON.stringify({ messages }) });
  assert.equal(response.status, 200);
}

const post = (path, body) => fetch(server.url + path, { method: "POST", body: JSON.stringify(body) });

test("C2, P2, P3, R4: people see each other come and go, and tabs of one user stand together", async (t) => {
  const [ana, bo] = await two(t, "people");
  await ana.seesPeople("ana you", "bo");
  await bo.seesPeople("ana", "bo you");
  const tab = await ana.secondTab();
  await bo.seesPeople("ana ×2", "bo you");
  await tab.seesPeople("ana ×2 you", "bo");
  await tab.page.close();
  await bo.seesPeople("ana", "bo you");
  await ana.page.close();
  await bo.seesPeople("bo you");
});

test("M1, M4: messages settle in one order for everybody", async (t) => {
  const [ana, bo] = await two(t, "order");
  const speak = async (person, name) => {
    for (let n = 1; n <= 8; n += 1) await person.say(`${name} ${n}`);
  };
  await Promise.all([speak(ana, "ana"), speak(bo, "bo")]);
  await ana.see(async () => (await ana.messages()).length === 16, "16 messages");
  const seen = await ana.messages();
  await bo.seesMessages(seen);
  await ana.seesMessages(seen);
  for (const name of ["ana", "bo"]) {
    const own = seen.filter((text) => text.startsWith(name));
    assert.deepEqual(own, Array.from({ length: 8 }, (_, index) => `${name} ${index + 1}`));
  }
});

test("P1, P2: a pointer shows where it is in the other window, and typing shows while it lasts", async (t) => {
  const [ana, bo] = await two(t, "pointer", { bo: { viewport: { width: 800, height: 600 } } });
  const from = await ana.part(".chat").boundingBox();
  const to = await bo.part(".chat").boundingBox();
  await ana.page.mouse.move(from.x + from.width / 2, from.y + from.height / 4);
  const cursor = bo.part(".cursors > *");
  await bo.see(async () => {
    const box = (await cursor.count()) === 1 && (await cursor.boundingBox());
    return box && Math.abs(box.x - to.x - to.width / 2) < 2 && Math.abs(box.y - to.y - to.height / 4) < 2;
  }, "the pointer at the same place of the chat");
  assert.equal(await cursor.textContent(), "ana");
  await ana.page.mouse.move(from.x + from.width / 2, from.y - 20);
  await bo.see(async () => (await cursor.count()) === 0, "the pointer to leave");

  const typing = () => bo.part(".typing").textContent();
  await ana.part(".text").pressSequentially("So");
  await bo.see(async () => (await typing()) === "ana is typing…", "ana to type");
  await ana.part(".text").press("Enter");
  await bo.see(async () => (await typing()) === "", "ana to have typed");
  await bo.seesMessages(["So"]);
});

test("R1, R2, M4: who was offline misses nothing, and what they wrote arrives once", async (t) => {
  const [ana, bo] = await two(t, "offline");
  await ana.say("before");
  await bo.seesMessages(["before"]);
  await ana.context.setOffline(true);
  // The page does not know yet, and sends into nothing.
  await ana.say("into nothing");
  await ana.lost();
  await ana.say("while offline");
  await bo.say("meanwhile 1");
  await bo.say("meanwhile 2");
  await bo.see(async () => (await bo.unsent()) === 0, "bo's messages to settle");
  await ana.context.setOffline(false);
  await ana.connected();
  await ana.see(async () => (await ana.unsent()) === 0, "ana's messages to settle");
  const seen = await ana.messages();
  assert.deepEqual([...seen].sort(), ["before", "into nothing", "meanwhile 1", "meanwhile 2", "while offline"]);
  await bo.seesMessages(seen);
  await bo.seesPeople("ana", "bo you");
});

test("R3, R6: who missed too much begins at the end, and finds the rest by scrolling", async (t) => {
  const [ana, bo] = await two(t, "gap");
  await ana.say("message 1");
  await bo.seesMessages(["message 1"]);
  await ana.context.setOffline(true);
  await ana.lost();
  await publish("gap", ...numbered(2, 70));
  await ana.context.setOffline(false);
  await ana.connected();
  await ana.seesMessages(numbered(21, 70));
  // What comes while older messages are fetched has its place as well.
  await bo.say("message 71");
  await ana.part(".log").evaluate((log) => log.scrollTo(0, 0));
  await ana.seesMessages(numbered(1, 71));
  assert.equal(await ana.part(".earlier").isVisible(), false);
});

test("R1, R5: a server that was killed has everybody back where they were", async (t) => {
  // One of its own: the others' pages would have to come back as well.
  const killed = await startServer(t, { vars });
  const [ana, bo] = await two(t, "killed", { at: killed });
  await ana.say("before");
  await ana.page.mouse.move(550, 350);
  await bo.seesMessages(["before"]);
  await killed.kill();
  await ana.lost();
  await bo.lost();
  await ana.say("to nobody");
  await killed.start();
  await ana.connected();
  await bo.connected();
  await ana.seesMessages(["before", "to nobody"]);
  await bo.seesMessages(["before", "to nobody"]);
  await bo.seesPeople("ana", "bo you");
  // The room may have forgotten it; the page has not.
  await bo.see(async () => (await bo.part(".cursors > *").count()) === 1, "the pointer again");
});

test("R1, R4: a reload is not noticed by others, and takes along what was not sent", async (t) => {
  const patient = await startServer(t, { vars: { ...vars, GRACE_SECONDS: "600" } });
  const [ana, bo] = await two(t, "reload", { at: patient });
  await ana.say("before");
  await bo.seesMessages(["before"]);
  await bo.page.evaluate(() => {
    globalThis.changes = [];
    const rows = (records) => records.flatMap((record) => [...record.removedNodes, ...record.addedNodes]);
    const observer = new MutationObserver((records) => globalThis.changes.push(...rows(records).map((row) => row.outerHTML)));
    observer.observe(document.querySelector(".members"), { childList: true });
  });
  // A server that is not there keeps it from being sent; a network that is not there, from reloading.
  await ana.page.evaluate(() => {
    WebSocket.prototype.send = () => {};
  });
  await ana.say("kept");
  await ana.page.reload();
  await ana.connected();
  await ana.seesMessages(["before", "kept"]);
  await bo.seesMessages(["before", "kept"]);
  assert.deepEqual(await bo.page.evaluate(() => globalThis.changes), []);
  assert.deepEqual((await bo.people()).sort(), ["ana", "bo you"]);
});

test("E2, H4: who is removed is told why, stays away, and may come back", async (t) => {
  const [ana, bo] = await two(t, "removed");
  await post("/room/removed/disconnect", { user: "ana", reason: "Out you go." });
  await bo.seesPeople("bo you");
  await ana.see(async () => (await ana.status()) === "Disconnected", "the end");
  await ana.notices(/^Out you go\. \(4505\)/);
  // What makes others try at once does not concern it.
  await ana.page.evaluate(() => globalThis.dispatchEvent(new Event("online")));
  assert.equal(await ana.status(), "Disconnected");
  await ana.page.click("text=Reconnect");
  await bo.seesPeople("ana", "bo you");
  await ana.connected();
});

test("E2, N1: a room whose name is not allowed says so", async (t) => {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(`${server.url}/?room=not+allowed&user=ana`);
  await page.waitForSelector("text=The room's name is not allowed. (4509)");
});

test("P4: a crowd is counted", async (t) => {
  const small = await startServer(t, { vars: { ...vars, MAX_MEMBERS: "1" } });
  const [ana] = await two(t, "crowd", { at: small });
  await ana.see(
    async () => (await ana.part(".number").textContent()) === "2 people in 2 tabs, too many to list",
    "the count",
  );
  assert.deepEqual(await ana.people(), []);
});

test("another name is another user, and what was said stays", async (t) => {
  const [ana, bo] = await two(t, "name");
  await ana.say("as ana");
  await ana.part(".name").fill("zoe");
  await ana.part(".name").press("Enter");
  await bo.seesPeople("bo you", "zoe");
  await ana.say("as zoe");
  await bo.seesMessages(["as ana", "as zoe"]);
  await ana.seesMessages(["as ana", "as zoe"]);
  assert.equal(new URL(ana.page.url()).searchParams.get("user"), "zoe");
});

test("M1: what others write, and their names, are text", async (t) => {
  const script = "<img src=x onerror=alert(1)><script>alert(2)</script>";
  const [ana, bo] = await two(t, "text", { bo: { user: "<b onclick=alert(3)>bo</b>" } });
  await bo.say(script);
  await post("/room/text/publish?user=cy", { event: "<i>deploy</i>", data: { version: "<u>1</u>" } });
  await ana.seesMessages([script, '<i>deploy</i> {"version":"<u>1</u>"}']);
  await ana.seesPeople("ana you", "<b onclick=alert(3)>bo</b>");
  assert.equal(await ana.part(":is(.log :is(img, script, u), .members b)").count(), 0);
});

test("it fits a phone, and light and dark", async (t) => {
  const folder = at("test-results");
  mkdirSync(folder, { recursive: true });
  const [ana, bo] = await two(t, "looks", { ana: { colorScheme: "light" }, bo: { colorScheme: "dark" } });
  const phone = await sitDown(t, browser, server, {
    ...{ room: "looks", user: "a-name-that-is-rather-long-for-a-phone" },
    ...{ viewport: { width: 375, height: 667 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  });
  await ana.say("Hello! Is anybody here?");
  await bo.see(async () => (await bo.messages()).length === 1, "ana's message");
  await bo.say("Yes, in the dark. This is a longer message, so that one can see how its lines break on every screen.");
  await bo.say(`AWordThatDoesNotEnd${"AndGoesOn".repeat(12)}`);
  await phone.see(async () => (await phone.messages()).length === 3, "three messages");
  await phone.say("And I am on my way.");
  await ana.see(async () => (await ana.messages()).length === 4, "four messages");
  await ana.page.mouse.move(480, 330);
  await bo.page.mouse.move(700, 560);
  await bo.part(".text").pressSequentially("Well");
  for (const person of [ana, phone]) {
    await person.see(async () => (await person.part(".typing").textContent()) === "bo is typing…", "bo to type");
    await person.see(async () => (await person.part(".cursors > *").count()) > 0, "a pointer");
  }
  for (const [name, { page }] of Object.entries({ light: ana, dark: bo, phone })) {
    await page.screenshot({ path: `${folder}/page-${name}.png` });
    assert.deepEqual(await tooWide(page), [], name);
  }
  const height = await phone.part(".log").evaluate((log) => log.clientHeight);
  assert.ok(height > 300, `the messages have ${height} px`);
});

test("what is to be said from a terminal is one command, whatever a link calls the room", async (t) => {
  const page = await browser.newPage();
  t.after(() => page.close());
  for (const room of ["terminal", "team:7", "x'; echo caught; '"]) {
    await page.goto(`${server.url}/?room=${encodeURIComponent(room)}`);
    const command = await page.locator("#curl").textContent();
    // A shell in which curl shows what it is asked.
    const asked = execFileSync("sh", ["-c", `curl() { printf '%s\\n' "$@"; }; ${command}`], { encoding: "utf8" });
    const [address, option, body, ...more] = asked.trimEnd().split("\n");
    assert.equal(decodeURIComponent(new URL(address).pathname), `/room/${room}/publish`);
    assert.deepEqual([option, JSON.parse(body).event, more], ["-d", "chat", []]);
  }
});
