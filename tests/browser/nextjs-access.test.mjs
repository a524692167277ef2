// Whether everybody can use the Next.js example: without a mouse, on a phone, with a screen reader's rules in mind.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { openBrowser } from "./chromium.mjs";
import { numbered, startApp } from "./nextjs.mjs";

const browser = await openBrowser(test);
const app = await startApp(test, browser);

const phone = { viewport: { width: 375, height: 667 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

test("with the keyboard alone one signs in, opens a room, writes, removes somebody and leaves", async (t) => {
  const [bo] = await app.in(t, "friday-demo", ["Bo"]);
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const { keyboard } = page;
  const focused = () =>
    page.evaluate(() => {
      const { activeElement: node } = document;
      const name = node.ariaLabel ?? node.labels?.[0]?.textContent ?? node.textContent;
      const outlined = (part) => part && (getComputedStyle(part).outlineStyle !== "none" || outlined(part.parentElement));
      return { name: name.slice(0, 60), isShown: outlined(node) };
    });
  const tabTo = async (what) => {
    const seen = [];
    for (let step = 0; step < 40; step += 1) {
      const { name, isShown } = await focused();
      if (what.test(name)) return assert.ok(isShown, `${name} does not show that it has the focus`);
      seen.push(name);
      await keyboard.press("Tab");
    }
    assert.fail(`Tab does not reach ${what}, but ${seen}`);
  };
  await page.goto(app.url);
  await page.waitForURL(`${app.url}/sign-in?next=%2F`);
  await tabTo(/^Your name$/);
  await keyboard.type("Ana");
  await keyboard.press("Enter");
  await page.waitForURL(`${app.url}/`);
  // Its script is there when it counts people.
  await page.getByTestId("online").filter({ hasText: /^\d|^Nobody/ }).waitFor();
  await tabTo(/^Open a room by name$/);
  await keyboard.type("Friday demo");
  await keyboard.press("Enter");
  await page.waitForURL(`${app.url}/room/friday-demo`);
  await bo.seesPeople("Bo", "Ana");
  await tabTo(/^Messages$/);
  await tabTo(/^Message$/);
  await keyboard.type("typed");
  await keyboard.press("Shift+Enter");
  await keyboard.type("in two lines");
  await keyboard.press("Enter");
  await bo.seesTexts(["typed\nin two lines"]);
  assert.match((await focused()).name, /^Message$/);
  await keyboard.type("Coffee is ready");
  await tabTo(/^Announce/);
  await keyboard.press("Enter");
  await bo.seesTexts(["typed\nin two lines", "Coffee is ready"]);
  await tabTo(/^Remove Bo/);
  await keyboard.press("Enter");
  await keyboard.press("Tab");
  await tabTo(/^Remove$/);
  await keyboard.press("Space");
  await bo.see(async () => (await bo.refusal()) === "removed", "to be removed");
  await bo.page.keyboard.press("Enter");
  await bo.connected();
  await bo.seesPeople("Bo", "Ana");
  await tabTo(/Rooms$/);
  await keyboard.press("Enter");
  await page.waitForURL(`${app.url}/`);
  await bo.seesPeople("Bo");
  await tabTo(/^Sign out$/);
  await keyboard.press("Enter");
  await page.waitForURL(`${app.url}/sign-in`);
});

test("on a phone everything is within reach, and nothing is wider than the screen", async (t) => {
  await app.fill("friday-demo-2", [...numbered(1, 30), "https://example.com/".padEnd(300, "long-")]);
  const [bo] = await app.in(t, "friday-demo-2", ["Bo"]);
  const context = await browser.newContext(phone);
  t.after(() => context.close());
  const page = await context.newPage();
  const fits = async (what) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${what} is ${wide} px too wide`);
  };
  const tap = async (role, name) => {
    const target = page.getByRole(role, { name, exact: typeof name === "string" });
    const { width, height } = await target.boundingBox();
    assert.ok(width >= 24 && height >= 24, `${name} has ${width} by ${height} px`);
    // It fails for what cannot be scrolled to, or has something else upon it.
    await target.tap({ timeout: 20_000 });
  };
  await page.goto(app.url);
  await page.getByLabel("Your name").fill("Maximiliane von Hohenstein-Wittgenstein");
  await fits("the page to sign in");
  await tap("button", "Sign in");
  await page.waitForURL(`${app.url}/`);
  await page.getByTestId("count friday-demo-2").waitFor();
  await fits("the lobby");
  await tap("link", /friday-demo-2/);
  await page.waitForURL(`${app.url}/room/friday-demo-2`);
  await page.getByText("message 30").waitFor();
  await fits("the room");
  await page.getByLabel("Message", { exact: true }).fill("from a phone");
  await tap("button", "Send");
  await bo.see(async () => (await bo.texts()).at(-1) === "from a phone", "the message");
  await page.getByLabel("Message", { exact: true }).fill("to all");
  await tap("button", /^Announce/);
  await bo.page.getByText("Announcement by Maximiliane").waitFor();
  await tap("button", /people$/);
  await tap("button", "Remove Bo …");
  await fits("the list of people");
  await tap("button", "Ban for a minute");
  await bo.see(async () => (await bo.refusal()) === "removed", "to be removed");
  await tap("button", /people$/);
  await tap("link", "Dashboard");
  await page.waitForURL(`${app.url}/dashboard`);
  await page.getByTestId("stream").waitFor();
  await fits("the dashboard");
  await tap("link", "coffee");
  await page.waitForURL(`${app.url}/dashboard?room=coffee`);
  await tap("link", "Rooms");
  await page.waitForURL(`${app.url}/`);
  await tap("button", "Sign out");
  await page.waitForURL(`${app.url}/sign-in`);
});

test("axe finds nothing to complain of, in light and dark, and on a phone", async (t) => {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const complaints = async (page, name) => {
    await page.evaluate(axe);
    // What appears is half transparent for a moment; what never ends is no reason to wait.
    await page.evaluate(() =>
      Promise.allSettled(
        document
          .getAnimations()
          .filter(({ effect }) => effect.getTiming().iterations !== Infinity)
          .map(({ finished }) => finished),
      ),
    );
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const found = violations.flatMap(({ id, impact, nodes }) => nodes.map(({ html }) => `${id} (${impact}): ${html}`));
    assert.deepEqual(found, [], name);
  };
  const bo = await app.person(t, "Bo");
  for (const [name, options] of Object.entries({
    light: { colorScheme: "light" },
    dark: { colorScheme: "dark" },
    phone: { ...phone, colorScheme: "dark" },
  })) {
    const room = `axe-${name}`;
    const context = await browser.newContext(options);
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${app.url}/sign-in`);
    await complaints(page, `${name}: sign in`);
    const ana = await app.person(t, "Ana Lind", options);
    await bo.enter(room);
    await ana.page.getByTestId(`count ${room}`).waitFor();
    await complaints(ana.page, `${name}: lobby`);
    await ana.enter(room);
    await complaints(ana.page, `${name}: empty room`);
    await bo.say("Hello");
    await ana.say("Hello to you");
    await ana.field.fill("All of you");
    await ana.page.getByRole("button", { name: /^Announce/ }).click();
    await ana.see(async () => (await ana.texts()).length === 3, "three messages");
    await ana.say("x".repeat(4_001));
    await ana.page.getByText("It is too long").waitFor();
    await bo.field.pressSequentially("And");
    await ana.see(async () => (await ana.page.getByTestId("typing").textContent()) !== "", "Bo to type");
    await complaints(ana.page, `${name}: room`);
    if (name === "phone") await ana.page.getByRole("button", { name: /people$/ }).click();
    await ana.page.getByRole("button", { name: "Remove Bo …" }).click();
    await complaints(ana.page, `${name}: people`);
    await bo.page.getByRole("button", { name: "Remove Ana Lind …" }).click();
    await bo.page.getByRole("button", { name: "Remove", exact: true }).click();
    await ana.see(async () => (await ana.refusal()) === "removed", "to be removed");
    await complaints(ana.page, `${name}: removed`);
    await ana.page.goto(`${app.url}/dashboard?room=${room}`);
    await app.fill(room, numbered(1, 3));
    await ana.see(async () => (await ana.page.getByTestId("stream").textContent()) === "Live", "the stream");
    await complaints(ana.page, `${name}: dashboard`);
  }
});
