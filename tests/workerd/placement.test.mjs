// Where rooms are placed. What placement does shows on Cloudflare only; here it shows that the variables reach it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, post } from "./client.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

test("h8 a location is a hint: rooms work with it as without", async (t) => {
  const server = await startServer(t, { vars: { ROOM_LOCATION: "weur" } });
  const { status, body } = await post(server, `/room/${freshRoom("place")}/publish`, { event: "chat", data: 1 });
  assert.deepEqual([status, body.offset], [200, 1]);
});

test("h8 a jurisdiction that cannot be kept is refused, never ignored", async (t) => {
  const server = await startServer(t, { vars: { ROOM_JURISDICTION: "eu" } });
  const { status, body } = await post(server, `/room/${freshRoom("place")}/publish`, { event: "chat", data: 1 });
  // workerd on its own has no jurisdictions, and says so.
  assert.deepEqual([status, body.error.code], [500, "internal"]);
  await until(() => /room_failed.*[Jj]urisdiction/.test(server.log), () => `the reason in the log: ${server.log}`);
});

test("h8 rooms cannot be listed", async (t) => {
  const server = await startServer(t);
  await post(server, `/room/${freshRoom("place")}/publish`, { event: "chat", data: 1 });
  for (const path of ["/rooms", "/room", "/room/"]) {
    const { status } = await get(server, path);
    assert.ok(status === 404 || status === 400, `${path} answers ${status}`);
  }
});
