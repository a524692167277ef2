// What the operator set, and what was probably meant.
import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, get, join, post } from "./client.mjs";
import { startServer } from "./server.mjs";
import { keyPair } from "./token.mjs";
import { until } from "./until.mjs";

const lines = (server, event) =>
  server.log
    .split("\n")
    // What has no end yet is still being read.
    .slice(0, -1)
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

test("t6 what is no text is not_configured, and not taken for unset", async (t) => {
  const lists = [
    { ROOMFUL_AUDIENCE: ["app"] },
    { ROOMFUL_ISSUER: { name: "hunter2" } },
    { ALLOWED_ORIGINS: ["https://hunter2.example"] },
    { MAX_CONNECTIONS_PER_USER: [5] },
    // A secret of some other kind, as from a store of them, beside open doors.
    { ROOMFUL_SECRETS: { secret: "hunter2" }, ROOMFUL_ANONYMOUS: "true" },
  ];
  await Promise.all(
    lists.map(async (vars) => {
      const [name] = Object.keys(vars);
      const server = await startServer(t, { vars });
      const { status, body } = await get(server, "/room/lobby");
      assert.deepEqual([status, body.error?.code], [500, "not_configured"], name);
      await until(() => lines(server, "not_configured").length, "the line");
      const [line] = lines(server, "not_configured");
      assert.deepEqual([line.variable, line.reason], [name, "must be text, a number or a boolean"]);
      assert.doesNotMatch(server.log, /hunter2/);
    }),
  );
  const server = await startServer(t, { vars: { ROOMFUL_ISSUER: null } });
  assert.equal((await get(server, "/room/lobby")).status, 200, "nothing is nothing");
});

test("t6 n5 a variable that cannot be used costs no room what another one lets it keep", async (t) => {
  const vars = { HISTORY_MESSAGES: 10_000, PING_SECONDS: 1 };
  const server = await startServer(t, { vars });
  const room = freshRoom();
  // More than would ever lie on the disk with the default, of 1,000.
  const messages = Array(100).fill({ room, event: "e" });
  for (let count = 0; count < 26; count++) await post(server, "/publish", { messages });
  await join(server, room);
  const history = async () => (await get(server, `/room/${room}`)).body.history;
  const before = await history();
  assert.equal(before.messages, 2_600);
  await server.redeploy({ ...vars, MAX_TICK_MS: "much" });
  // Some seconds later the room is to look who has gone, and what time has ended.
  const looked = () => lines(server, "room_failed").find((line) => line.room === room);
  assert.match((await until(looked, "an alarm", { within: 30_000 })).reason, /^not_configured/);
  await server.redeploy(vars);
  assert.deepEqual(await history(), before);
});

test("t6 e4 an address of keys that is none is not_configured, and stands in no log", async (t) => {
  for (const host of ["1.2.3.4.5", "1.2.3.999"]) {
    const url = `https://${host}/keys?key=hunter2`;
    const server = await startServer(t, { vars: { ROOMFUL_JWKS_URL: url, ROOMFUL_AUDIENCE: "app" } });
    const token = keyPair("ES256", "one").mint({ sub: "ana", room: "lobby", aud: "app" });
    const { status, body } = await get(server, "/room/lobby/presence", { token });
    assert.deepEqual([status, body.error.code], [500, "not_configured"], host);
    await until(() => lines(server, "not_configured").length, "the line");
    assert.equal(lines(server, "not_configured")[0].variable, "ROOMFUL_JWKS_URL");
    assert.doesNotMatch(server.log, /hunter2/, host);
  }
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
