// How the first page looks, and whether everybody can use it: with two people side by side, wide and narrow.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { at } from "../../scripts/project.mjs";
import { startServer } from "../workerd/server.mjs";
import { openBrowser } from "./chromium.mjs";
import { sitDown, sitTogether, tooWide } from "./person.mjs";

const vars = { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true", GRACE_SECONDS: "3" };
const server = await startServer(test, { vars });
const browser = await openBrowser(test);

const phone = { viewport: { width: 375, height: 667 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const beside = (t, room, options) => sitTogether(t, browser, server, { room, ...options });

test("nothing moves when people come and go", async (t) => {
  const [ana, bo] = await beside(t, "still");
  const boxes = () =>
    ana.page.evaluate(() =>
      [...document.querySelectorAll(".head *, .around > *, .members, .chat, .log, .composer *, .tools *")].map((part) => {
        const { x, y, width, height } = part.getBoundingClientRect();
        return [part.className, x, y, width, height].join(" ");
      }),
    );
  await ana.seesPeople("ana you", "bo");
  const before = await boxes();
  const guests = [];
  for (const user of ["a-name-that-is-rather-long", "dee", "eve"]) {
    guests.push(await sitDown(t, browser, server, { room: "still", user }));
  }
  await bo.seesPeople("ana", "bo you", "a-name-that-is-rather-long", "dee", "eve");
  assert.deepEqual(await boxes(), before);
  for (const { page } of guests) await page.close();
  await bo.seesPeople("ana", "bo you");
  assert.deepEqual(await boxes(), before);
});

test("everything can be done with the keyboard", async (t) => {
  const [ana, bo] = await beside(t, "keys");
  const { keyboard } = ana.page;
  const focused = () =>
    ana.page.evaluate(() => {
      const { activeElement: node } = document;
      return `${node.closest(".pane")?.ariaLabel} ${node.className}`;
    });
  const tabTo = async (what) => {
    for (let step = 0; step < 30; step += 1) {
      if ((await focused()) === what) return;
      await keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${what}, but ${await focused()}`);
  };
  await tabTo("ana text");
  await keyboard.type("typed");
  await keyboard.press("Enter");
  await bo.seesMessages(["typed"]);
  await tabTo("ana cut-off");
  await keyboard.press("Enter");
  await ana.notices(/^Back as connection/);
  await tabTo("ana unplug");
  await keyboard.press("Space");
  await ana.notices(/^Offline/);
  assert.equal(await focused(), "ana unplug");
  await keyboard.press("Space");
  await ana.connected();

  await tabTo("ana forget");
  await keyboard.press("Enter");
  assert.equal(await ana.page.evaluate(() => document.activeElement.textContent), "Cancel");
  await keyboard.press("Escape");
  assert.equal(await focused(), "ana forget");

  await tabTo("ana inspect");
  await keyboard.press("Enter");
  await tabTo("ana frames");
  await keyboard.press("Home");
  const meaning = () => ana.part(".meaning").textContent();
  await ana.see(async () => /^connect Opens a WebSocket/.test(await meaning()), "the first frame");
  await keyboard.press("ArrowDown");
  await ana.see(async () => /^welcome Lets in/.test(await meaning()), "the second frame");
  const active = await ana.part(".frames").getAttribute("aria-activedescendant");
  assert.equal(await ana.page.locator(`#${active}`).getAttribute("aria-selected"), "true");
  await keyboard.press("Escape");
  assert.equal(await ana.part(".detail").isVisible(), false);
  // The second person comes after all of the first.
  await tabTo("bo name");
  await tabTo("bo text");
});

test("it asks nothing of any other server, and has less than 60 kB", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("websocket", (socket) => asked.push(socket.url().replace("ws:", "http:")));
  const response = await page.goto(server.url);
  await page.waitForSelector(".pane[data-status=connected] >> nth=1");
  assert.deepEqual(asked.filter((url) => !url.startsWith(server.url) && !url.startsWith("data:")), []);
  const { length } = await response.body();
  assert.ok(length < 60_000, `the page has ${length} bytes`);
});

test("axe finds nothing to complain of, in light and dark, wide and narrow", async (t) => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const complaints = async (page, name) => {
    await page.evaluate(axe);
    // What appears is half transparent for a moment.
    await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const found = violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html }) => `${id} (${impact}): ${html}`));
    assert.deepEqual(found, [], name);
  };
  for (const [name, options] of Object.entries({
    light: { colorScheme: "light" },
    dark: { colorScheme: "dark" },
    phone: { ...phone, colorScheme: "dark" },
  })) {
    const [ana, bo] = await beside(t, `axe-${name}`, options);
    const { page } = ana;
    await ana.say("Hello");
    await ana.seesMessages(["Hello"]);
    await bo.part(".text").evaluate((text) => {
      text.value = "Hello too";
      text.form.requestSubmit();
    });
    await ana.seesMessages(["Hello", "Hello too"]);
    await complaints(page, `${name}: a conversation`);
    await ana.press("Frames");
    await ana.part(".frames li:not([hidden])").nth(1).click();
    await complaints(page, `${name}: the frames`);
    await ana.press("Frames");
    await ana.press("Offline");
    await ana.say("Waiting");
    await complaints(page, `${name}: offline`);
    await page.click("#invite");
    await complaints(page, `${name}: an invitation`);
    await page.keyboard.press("Escape");
    await ana.press("Forget…");
    await complaints(page, `${name}: a question`);
  }
});

test("side by side fits light and dark, and a phone has one person at a time", async (t) => {
  const folder = at("test-results");
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of ["light", "dark"]) {
    const [ana, bo] = await beside(t, `looks-${colorScheme}`, { colorScheme });
    const said = ["Hello! Is anybody here?", "Yes. This is a longer message, so that one can see how its lines break on every screen."];
    await ana.say(said[0]);
    await bo.seesMessages(said.slice(0, 1));
    await bo.say(said[1]);
    await ana.seesMessages(said);
    await bo.press("Cut");
    const { x, y } = await ana.part(".chat").boundingBox();
    for (let step = 0; step < 20; step += 1) await ana.page.mouse.move(x + 80 + 5 * step, y + 100 + 2 * step);
    await bo.notices(/^Back/);
    await ana.press("Frames");
    await ana.frame("↓", "welcome").last().click();
    await ana.part(".text").pressSequentially("Then");
    await bo.see(async () => (await bo.part(".typing").textContent()) === "ana is typing…", "ana to type");
    assert.deepEqual(await tooWide(ana.page), []);
    await ana.page.screenshot({ path: `${folder}/panes-${colorScheme}.png` });
  }

  const [ana, bo] = await beside(t, "looks-phone", phone);
  assert.deepEqual([await ana.pane.isVisible(), await bo.pane.isVisible()], [true, false]);
  await ana.say("From the one hand");
  await ana.seesMessages(["From the one hand"]);
  await ana.page.click("#turns >> text=bo");
  assert.deepEqual([await ana.pane.isVisible(), await bo.pane.isVisible()], [false, true]);
  await bo.say("to the other");
  await bo.seesMessages(["From the one hand", "to the other"]);
  const height = await bo.part(".log").evaluate((log) => log.clientHeight);
  assert.ok(height > 250, `the messages have ${height} px`);
  assert.deepEqual(await tooWide(bo.page), []);
  await bo.page.screenshot({ path: `${folder}/panes-phone.png` });
  await bo.press("Frames");
  await bo.frame("↑", "publish").click();
  assert.deepEqual(await tooWide(bo.page), []);
  const list = await bo.part(".frames").evaluate((frames) => frames.clientHeight);
  assert.ok(list > 80, `the frames have ${list} px`);
  await bo.page.screenshot({ path: `${folder}/panes-phone-frames.png` });
});

test("a phone on its side, or with its keyboard up, shows what is said, and the frames", async (t) => {
  for (const viewport of [{ width: 667, height: 375 }, { width: 932, height: 430 }, { width: 375, height: 370 }]) {
    const [ana] = await beside(t, `low-${viewport.width}`, { ...phone, viewport });
    const height = (part) => ana.part(part).evaluate((node) => node.clientHeight);
    await ana.say("Is there room?");
    await ana.seesMessages(["Is there room?"]);
    assert.ok((await height(".log")) > 80, `the messages have ${await height(".log")} of ${viewport.height} px`);
    await ana.press("Frames");
    await ana.frame("↑", "publish").click();
    assert.ok((await height(".frames")) > 55, `the frames have ${await height(".frames")} of ${viewport.height} px`);
    const { y, height: tall } = await ana.part(".detail").boundingBox();
    assert.ok(y + tall <= viewport.height + 1, "what the frame is for is out of view");
    assert.deepEqual(await tooWide(ana.page), []);
  }
});

test("who wants less motion gets none", async (t) => {
  const [ana, bo] = await beside(t, "motion", { reducedMotion: "reduce" });
  const { x, y } = await ana.part(".chat").boundingBox();
  await ana.page.mouse.move(x + 50, y + 50);
  await bo.see(async () => (await bo.part(".cursors > *").count()) === 1, "ana's pointer");
  const durations = await bo.part(".cursors > *").evaluate((cursor) => {
    const { transitionDuration, animationDuration } = getComputedStyle(cursor);
    return [transitionDuration, animationDuration];
  });
  assert.deepEqual(durations, ["0s", "0s"]);
});
