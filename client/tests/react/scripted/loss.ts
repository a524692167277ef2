// useLostConnection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createElement as h } from "react";
import { useLostConnection } from "../../../src/react.ts";
import type { ConnectionEvent } from "../../../src/react.ts";
import { settled, world } from "../../unit/fake.ts";
import { show } from "../page.ts";
import { inside } from "./scene.ts";

test("useLostConnection tells of what lasts, of what came back, and of what was missed", async (t) => {
  const it = world(t);
  const events: ConnectionEvent[] = [];
  const hasty: ConnectionEvent[] = [];
  const View = () => {
    useLostConnection((event) => events.push(event));
    useLostConnection((event) => hasty.push(event), { after: 100 });
    return null;
  };
  const told = () => [events.splice(0), hasty.splice(0)];
  const page = await show(t, inside(it.client, h(View)));
  await settled();
  it.socket.welcome();
  await it.pass(20_000);
  assert.deepEqual(told(), [[], []]);

  it.socket.end();
  await it.pass(300);
  assert.deepEqual(told(), [[], ["lost"]]);
  it.socket.welcome({ recovered: true });
  await it.pass(20_000);
  assert.deepEqual(told(), [[], ["restored"]]);

  it.socket.end();
  await it.pass(4_999);
  assert.deepEqual(told(), [[], ["lost"]]);
  await it.pass(1);
  it.socket.end();
  await it.pass(8_000);
  assert.deepEqual(told(), [["lost"], []], "once, however often it is tried");
  it.socket.welcome({ recovered: true });
  await settled();
  assert.deepEqual(told(), [["restored"], ["restored"]]);

  it.socket.end();
  await it.pass(50);
  it.client.room("lobby").connect();
  it.socket.welcome({ recovered: false, offset: 900 });
  await settled();
  assert.deepEqual(told(), [["missed"], ["missed"]], "also if nobody was told of a loss");

  it.socket.end(4505);
  await it.pass(60_000);
  assert.deepEqual(told(), [["failed"], ["failed"]]);
  it.client.room("lobby").connect();
  await it.pass(7_000);
  it.socket.welcome({ recovered: true });
  await settled();
  assert.deepEqual(told(), [["restored"], ["restored"]]);

  it.socket.end();
  await it.pass(50);
  page.clear();
  await it.pass(400);
  assert.deepEqual(told(), [[], []], "not after it has gone");
});
