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
  const looks = Object.entries({ light: ana, dark: bo, phone: cy });
  for (const [name, { page }] of looks) await page.screenshot({ path: `${folder}/nextjs-room-${name}.png` });
  for (const [name, { page }] of looks) {
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
