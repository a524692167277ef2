import assert from "node:assert/strict";
import { test } from "node:test";
import { serveWorker } from "../worker.mjs";
import { openBrowser } from "./chromium.mjs";

test("a browser reaches the Worker", async (t) => {
  const { url } = await serveWorker(t);
  const browser = await openBrowser(t);
  const page = await browser.newPage();
  const response = await page.goto(new URL("/health", url).href);
  assert.equal(response.status(), 200);
  assert.equal((await response.json()).ok, true);
});
