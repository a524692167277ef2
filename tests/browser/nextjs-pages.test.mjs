// Pages of the Next.js example that are closed, crash, are left and come back to, or are not looked at for long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser, openMortalBrowser } from "./chromium.mjs";
import { numbered, startApp } from "./nextjs.mjs";

/** More than anybody needs to be seen leaving who leaves at once, on a busy machine as well. */
const GRACE_SECONDS = 20;

// Playwright turns the back/forward cache off.
const browser = await openBrowser(test, { ignoreDefaultArgs: ["--disable-back-forward-cache"] });
const app = await startApp(test, browser, { vars: { GRACE_SECONDS } });

test("R4: who closes a tab or a window or whose page crashes is gone within seconds, whose browser is killed after the grace", async (t) => {
  const [ana, bo, cy, di] = await app.in(t, "gone", ["Ana", "Bo", "Cy", "Di"]);
  const mortal = await openMortalBrowser(t);
  const [ed] = await app.in(t, "gone", ["Ed"], { browser: mortal.browser });
  const names = ["Bo", "Cy", "Di", "Ed"];
  await ana.seesPeople("Ana", ...names);
  /** How long it takes until somebody has left, in seconds. */
  const leaves = async (name, how) => {
    names.splice(names.indexOf(name), 1);
    const begin = performance.now();
    await how();
    await ana.seesPeople("Ana", ...names);
    return (performance.now() - begin) / 1_000;
  };
  const soon = {
    tab: await leaves("Bo", () => bo.page.close()),
    window: await leaves("Cy", () => cy.context.close()),
    // Its browser says goodbye in its place.
    "crashed tab": await leaves("Di", () => crash(di)),
  };
  for (const [what, seconds] of Object.entries(soon)) assert.ok(seconds < GRACE_SECONDS - 2, `${what}: ${seconds} s`);
  const late = await leaves("Ed", () => mortal.kill());
  assert.ok(late > GRACE_SECONDS - 1, `killed browser: ${late} s`);
});

async function crash({ page, context }) {
  const crashed = page.waitForEvent("crash");
  const session = await context.newCDPSession(page);
  session.send("Page.crash").catch(() => {});
  await crashed;
}

test("who goes elsewhere and comes back from the back/forward cache finds the room as it is by then", async (t) => {
  const [bo] = await app.in(t, "back", ["Bo"]);
  const ana = await app.person(t, "Ana");
  // Next.js says `no-store` of pages that ask for cookies, which keeps them out of that cache: an app may say otherwise.
  // Chromium does not know where such an answer comes from, and whether it may talk to this machine.
  await ana.context.grantPermissions(["local-network-access"]);
  await ana.page.route(`${app.url}/room/back`, async (route) => {
    const response = await route.fetch();
    const { "content-encoding": _, "transfer-encoding": __, ...headers } = response.headers();
    await route.fulfill({ response, headers: { ...headers, "cache-control": "private, no-cache" } });
  });
  await ana.page.addInitScript(() => addEventListener("pageshow", (event) => (globalThis.persisted = event.persisted)));
  await ana.enter("back");
  await ana.say("before");
  await bo.seesTexts(["before"]);
  await ana.field.fill("not sent yet");
  await ana.page.goto(`${app.url}/dashboard`);
  // At once: it is no lost connection, and nobody is there.
  await bo.seesPeople("Bo");
  await bo.say("meanwhile");
  await ana.page.goBack({ waitUntil: "commit" });
  await ana.see(() => ana.page.evaluate(() => globalThis.persisted), "the page as it was");
  assert.equal(await ana.field.inputValue(), "not sent yet");
  await ana.connected();
  await ana.seesTexts(["before", "meanwhile"]);
  await ana.field.press("Enter");
  await bo.seesTexts(["before", "meanwhile", "not sent yet"]);
  await bo.seesPeople("Bo", "Ana");
  await ana.seesPeople("Ana", "Bo");
});

test("each room has one WebSocket, and it ends when one goes to another", async (t) => {
  const ana = await app.person(t, "Ana");
  const here = () => ana.see(async () => /^\d|^Nobody/.test(await ana.page.getByTestId("online").textContent()), "the lobby");
  await here();
  const [bo] = await app.in(t, "second", ["Bo"]);
  const open = new Set();
  ana.page.on("websocket", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  ana.sockets.length = 0;
  await ana.page.reload();
  const goes = async (link, room) => {
    await ana.page.getByRole("link", link).click();
    await ana.page.waitForURL(`${app.url}/${room}`);
    if (room) await ana.connected();
  };
  await here();
  assert.deepEqual(ana.sockets, ["lobby"]);
  await goes({ name: /general/ }, "room/general");
  await goes({ name: "Rooms", exact: true }, "");
  await goes({ name: /second/ }, "room/second");
  await ana.say("hello");
  await bo.seesTexts(["hello"]);
  assert.deepEqual(ana.sockets, ["lobby", "room:general", "room:second"]);
  await ana.see(() => open.size === 2, () => `two open sockets, having ${[...open].map((socket) => socket.url())}`);
});

test("a page that is in the background for ten minutes stays connected, and misses nothing", async (t) => {
  const [bo] = await app.in(t, "hidden", ["Bo"]);
  const ana = await app.person(t, "Ana");
  // The page itself counts: what Playwright is told of a frame may come after the next step of the clock.
  await ana.page.addInitScript(() => {
    globalThis.pings = { sent: 0, waiting: 0 };
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (data) {
      if (data === "ping") {
        globalThis.pings.sent += 1;
        globalThis.pings.waiting += 1;
        const answered = new AbortController();
        const listen = ({ data: answer }) => {
          if (answer !== "pong") return;
          globalThis.pings.waiting -= 1;
          answered.abort();
        };
        this.addEventListener("message", listen, { signal: answered.signal });
      }
      send.call(this, data);
    };
  });
  const pings = () => ana.page.evaluate(() => globalThis.pings);
  await ana.page.clock.install();
  await ana.enter("hidden");
  await ana.watch();
  await ana.hide();
  for (let minute = 1; minute <= 10; minute += 1) {
    await bo.say(`message ${minute}`);
    // In steps that are shorter than what the client waits for an answer: the server's time goes as ever.
    for (let step = 0; step < 12; step += 1) {
      await ana.page.clock.runFor(5_000);
      await ana.see(async () => (await pings()).waiting === 0, async () => `answers, with ${JSON.stringify(await pings())}`);
    }
  }
  await ana.show();
  await ana.seesTexts(numbered(1, 10));
  await bo.seesPeople("Bo", "Ana");
  assert.ok((await pings()).sent >= 10, JSON.stringify(await pings()));
  assert.deepEqual((await ana.changes()).statuses, []);
  assert.equal(ana.sockets.filter((room) => room === "room:hidden").length, 1);
});

test("a page that stands still, as browsers freeze those in the background, has everything when it goes on", async (t) => {
  const [ana, bo] = await app.in(t, "frozen", ["Ana", "Bo"]);
  const session = await ana.context.newCDPSession(ana.page);
  await ana.watch();
  await ana.hide();
  // Without a window Chromium freezes nothing, but its debugger stops a page's scripts just as well.
  await session.send("Debugger.enable");
  const paused = new Promise((resolve) => session.once("Debugger.paused", resolve));
  await session.send("Debugger.pause");
  await bo.say("message 1");
  await paused;
  for (const text of numbered(2, 5)) await bo.say(text);
  await bo.seesTexts(numbered(1, 5));
  await app.worker.kill();
  await bo.lost();
  await app.worker.start();
  await bo.connected();
  for (const text of numbered(6, 9)) await bo.say(text);
  await bo.seesTexts(numbered(1, 9));
  await session.send("Debugger.resume");
  await ana.show();
  await ana.seesTexts(numbered(1, 9));
  await ana.say("back");
  await bo.seesTexts([...numbered(1, 9), "back"]);
  const { removed, added } = await ana.changes();
  assert.deepEqual([removed, added.length], [[], 10]);
});
