import assert from "node:assert/strict";
import { test } from "node:test";
import { serveWorker } from "../worker.mjs";

test("/health answers without configuration", async (t) => {
  const { url } = await serveWorker(t);
  const response = await fetch(new URL("/health", url));
  assert.equal(response.status, 200);
  const { ok, version } = await response.json();
  assert.equal(ok, true);
  assert.match(version, /^\d+\.\d+\.\d+$/);
});
