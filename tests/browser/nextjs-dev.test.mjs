// The Next.js example as `npm run dev` serves it: not minified, compiled on demand, and with React's StrictMode, which
// mounts everything twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openBrowser } from "./chromium.mjs";
import { startApp } from "./nextjs.mjs";

test("while one develops, each room has one WebSocket, too", async (t) => {
  const browser = await openBrowser(t);
  // There can be only one development server for a folder: end yours in examples/nextjs if this fails to start.
  const app = await startApp(t, browser, { dev: true });
  const ana = await app.person(t, "Ana");
  await ana.enter("dev");
  const [bo] = await app.in(t, "dev", ["Bo"]);
  await ana.say("hello");
  await bo.seesTexts(["hello"]);
  await ana.seesPeople("Ana", "Bo");
  ana.sockets.length = 0;
  await ana.page.reload();
  await ana.connected();
  await ana.seesTexts(["hello"]);
  assert.deepEqual(ana.sockets.sort(), ["lobby", "room:dev"]);
  await bo.seesPeople("Bo", "Ana");
});
