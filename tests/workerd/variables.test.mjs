// What the operator set, and what was probably meant.
import assert from "node:assert/strict";
import { test } from "node:test";
import { get } from "./client.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const lines = (server, event) =>
  server.log
    .split("\n")
    .filter((line) => line.includes(`"event":"${event}"`))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))));

test("t6 a variable that nothing reads and that looks like ours is named in the log, once and without its value", async (t) => {
  const vars = {
    ROOMFUL_SECRET: "hunter2 and so on",
    ROOMFUL_AUDIANCE: "hunter2",
    ALOWED_ORIGINS: "https://hunter2.example",
    ROOMFUL_COLOUR: "hunter2",
    DATABASE_URL: "postgres://hunter2",
  };
  const server = await startServer(t, { vars });
  for (let count = 0; count < 3; count++) assert.equal((await get(server, "/room/lobby")).status, 200);
  await until(() => lines(server, "unknown_variable").length >= 4, "the lines");
  await server.kill();
  const found = lines(server, "unknown_variable").map(({ variable, meant }) => [variable, meant]);
  assert.deepEqual(found.sort(), [
    ["ALOWED_ORIGINS", "ALLOWED_ORIGINS"],
    ["ROOMFUL_AUDIANCE", "ROOMFUL_AUDIENCE"],
    ["ROOMFUL_COLOUR", null],
    ["ROOMFUL_SECRET", "ROOMFUL_SECRETS"],
  ]);
  assert.doesNotMatch(server.log, /hunter2/);
});

test("t6 h8 a place that Cloudflare does not have is not_configured, and the log says which it has", async (t) => {
  for (const [variable, value, known] of [
    ["ROOM_JURISDICTION", "europe", /eu, us, fedramp, fedramp-high/],
    ["ROOM_LOCATION", "eu-west-1", /wnam, .*, me/],
  ]) {
    const server = await startServer(t, { vars: { [variable]: value } });
    const { status, body } = await get(server, "/room/lobby");
    assert.deepEqual([status, body.error.code], [500, "not_configured"], variable);
    await until(() => lines(server, "not_configured").length, "the line");
    const [line] = lines(server, "not_configured");
    assert.equal(line.variable, variable);
    assert.match(line.reason, known);
    assert.ok(!server.log.includes(value));
  }
});
