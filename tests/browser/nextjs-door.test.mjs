// Who may stay in a room of the Next.js example: tokens that end, people who sign out, and people who are removed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser } from "./chromium.mjs";
import { startApp } from "./nextjs.mjs";

const browser = await openBrowser(test);

test("short tokens", async (t) => {
  const app = await startApp(t, browser, { env: { ROOMFUL_TOKEN_SECONDS: "4" }, vars: { GRACE_SECONDS: "1" } });

  await t.test("are renewed on the connection that is there, and nobody notices", async (t) => {
    const [ana, bo] = await app.in(t, "renewed", ["Ana", "Bo"]);
    await ana.watch();
    await bo.watch();
    const [sockets, tokens] = [[...ana.sockets], ana.tokens.length];
    // Two in the lobby and two in the room: more than twice as long as the first of them lasts.
    const renewed = () => ana.tokens.slice(tokens);
    await ana.see(() => ["lobby", "room:renewed"].every((room) => renewed().filter((other) => other === room).length >= 3), renewed);
    await ana.say("still here");
    await bo.seesTexts(["still here"]);
    assert.deepEqual(ana.sockets, sockets);
    for (const person of [ana, bo]) {
      const { statuses, removed } = await person.changes();
      assert.deepEqual([statuses, removed], [[], []]);
    }
  });

  await t.test("end for who has signed out elsewhere, who is told so, and can sign in again", async (t) => {
    const [ana, bo] = await app.in(t, "signed-out", ["Ana", "Bo"]);
    const lobby = await ana.context.newPage();
    await lobby.goto(app.url);
    const tab = await ana.context.newPage();
    await tab.goto(`${app.url}/dashboard`);
    await tab.getByRole("button", { name: "Sign out" }).click();
    await tab.waitForURL(`${app.url}/sign-in`);
    await ana.see(async () => (await ana.refusal()) === "auth_failed", "the refusal");
    const { length } = ana.sockets;
    await bo.seesPeople("Bo");
    await lobby.getByText("You are signed out.").waitFor();
    const card = ana.page.getByTestId("refusal");
    assert.match(await card.textContent(), /You are not let in.*signed out/);
    await card.getByRole("button", { name: "Try again" }).click();
    await ana.see(async () => (await ana.refusal()) === "auth_failed", "the refusal");
    assert.equal(ana.sockets.length, length);
    await card.getByRole("link", { name: "Sign in" }).click();
    await ana.page.getByLabel("Your name").fill("Ana again");
    await ana.page.keyboard.press("Enter");
    await ana.page.waitForURL(`${app.url}/room/signed-out`);
    await ana.connected();
    await bo.seesPeople("Bo", "Ana again");
  });
});

test("who was removed or banned stays outside until they ask to come in again", async (t) => {
  const app = await startApp(t, browser);
  const [ana] = await app.in(t, "outside", ["Ana"]);
  const bo = await app.person(t, "Bo");
  await bo.page.clock.install();
  await bo.enter("outside");
  const removes = async (button) => {
    await ana.seesPeople("Ana", "Bo");
    await ana.page.getByRole("button", { name: "Remove Bo …" }).click();
    await ana.page.getByRole("button", { name: button, exact: true }).click();
    await bo.see(async () => (await bo.refusal()) === "removed", "to be removed");
    await ana.seesPeople("Ana");
  };
  /** Nothing is tried in ten minutes, whatever the browser tells of the network and the page. */
  const staysOutside = async () => {
    const room = () => [bo.sockets, bo.tokens].map((asked) => asked.filter((name) => name === "room:outside").length);
    const before = room();
    for (let minute = 0; minute < 10; minute += 1) {
      await bo.page.clock.runFor(60_000);
      await bo.page.evaluate(() => {
        for (const type of ["online", "visibilitychange", "pageshow"]) dispatchEvent(new Event(type));
      });
    }
    assert.deepEqual(room(), before);
    await ana.seesPeople("Ana");
  };
  const card = bo.page.getByTestId("refusal");
  await removes("Remove");
  assert.match(await card.textContent(), /taken out of this room.*Removed by Ana/);
  await staysOutside();
  await bo.page.getByRole("button", { name: "Enter again" }).click();
  await bo.connected();
  await removes("Ban for a minute");
  // Before the minute is over.
  await bo.page.getByRole("button", { name: "Enter again" }).click();
  await bo.see(async () => (await bo.refusal()) === "banned", "to be banned");
  assert.match(await card.textContent(), /You are banned.*try again in a while/);
  await staysOutside();
});
