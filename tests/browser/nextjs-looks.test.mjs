// How the Next.js example looks. Pictures of it are in test-results/.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { at } from "../../scripts/project.mjs";
import { openBrowser } from "./chromium.mjs";
import { startApp } from "./nextjs.mjs";

const browser = await openBrowser(test);
const app = await startApp(test, browser);

test("it fits a phone, and light and dark", async (t) => {
  const folder = at("test-results");
  mkdirSync(folder, { recursive: true });
  const phone = { viewport: { width: 375, height: 667 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const [ana] = await app.in(t, "design", ["Ana Lind"], { colorScheme: "light" });
  const [bo] = await app.in(t, "design", ["Bo Okafor"], { colorScheme: "dark" });
  const [cleo] = await app.in(t, "design", ["Cleo Park"], phone);
  await Promise.all([app.in(t, "coffee", ["Dara"]), app.in(t, "friday-demo", ["Emil Sand"])]);
  const said = [
    [ana, "Has anybody seen the new onboarding? I think the second step asks too much."],
    [bo, "Yes. Half of them leave there."],
    [bo, "Let us move the company’s address to the invoice, where people expect it anyway. Nobody knows their VAT number by heart."],
    [cleo, "I can draw that this afternoon."],
  ];
  for (const [index, [person, text]] of said.entries()) {
    await person.say(text);
    await ana.see(async () => (await ana.texts()).length === index + 1, text);
  }
  await ana.field.fill("Onboarding review moves to 15:00, in the big room.");
  await ana.page.getByRole("button", { name: /^Announce/ }).click();
  await cleo.say("Then I will bring it along.");
  for (const person of [ana, bo, cleo]) await person.see(async () => (await person.texts()).length === 6, "six messages");
  await ana.page.mouse.move(640, 565);
  await bo.page.mouse.move(430, 425);
  await bo.field.pressSequentially("Well");
  for (const { page } of [ana, cleo]) await page.getByText("Bo Okafor is typing …").waitFor();
  const looks = Object.entries({ light: ana, dark: bo, phone: cleo });
  for (const [name, { page }] of looks) await page.screenshot({ path: `${folder}/nextjs-room-${name}.png` });
  for (const [name, { page }] of looks) {
    for (const [place, label] of [["/", "lobby"], ["/dashboard?room=design", "dashboard"], ["/room/design", "room"]]) {
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
