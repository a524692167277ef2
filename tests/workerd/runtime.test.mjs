import assert from "node:assert/strict";
import { test } from "node:test";
import { freshRoom, join, open, placeOf, post } from "./client.mjs";
import { startServer } from "./server.mjs";
import { listen } from "./stream.mjs";

/** A server with the newest compatibility date that this workerd takes: today, unless it is older than that. */
async function newest(t) {
  const today = new Date().toISOString().slice(0, 10);
  try {
    return [today, await startServer(t, { date: today })];
  } catch (error) {
    const date = String(error.message.match(/\d{4}-\d\d-\d\d/g)?.findLast((found) => found < today));
    return [date, await startServer(t, { date })];
  }
}

test("c1 m4 r2 h7 everything works under the newest compatibility date too", async (t) => {
  const [date, server] = await newest(t);
  t.diagnostic(`compatibility date ${date}`);
  const room = freshRoom();
  const [ana, bob] = [await join(server, room), await join(server, room, { user: "bob", plain: true })];
  const stream = await listen(server, room);
  assert.equal((await ana.publish("chat", 1, { id: "x" })).offset, 1);
  await bob.find({ type: "message", data: 1 });
  await stream.find(({ data }) => data === 1);
  stream.close();
  const place = placeOf(ana);
  ana.drop();
  await post(server, `/room/${room}/publish`, { event: "e", data: 2 });
  const again = await join(server, room, { resume: place });
  await again.find({ type: "message", data: 2 });
  assert.equal((await again.publish("chat", 1, { id: "x" })).offset, 1);
  assert.equal((await bob.close(4_567)).code, 4_567);
  await again.find({ type: "leave", connection: bob.connection });
  again.socket.send(Buffer.from([1]));
  assert.equal((await again.end()).code, 4508);
  const refused = await open(server, room, { token: "x" });
  assert.equal((await refused.end()).code, 4000);
});
