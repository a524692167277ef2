// A reader that does not read: what waits for it has a bound, and the others notice nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import WebSocket from "ws";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const server = await startServer(test, { vars: { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } });

function open(t, user) {
  const address = `${server.url.replace("http", "ws")}/room/slow?user=${user}`;
  const socket = new WebSocket(address, ["roomful.v1"], { perMessageDeflate: false, closeTimeout: 100 });
  const seen = { socket, messages: 0, acks: 0, code: undefined };
  socket.on("message", (text) => {
    for (const { type } of [JSON.parse(text)].flat()) {
      seen.messages += type === "message";
      seen.acks += type === "ack";
    }
  });
  socket.on("close", (code) => {
    seen.code = code;
  });
  t.after(() => socket.terminate());
  return seen;
}

test("e2 a connection that does not read is closed with 4101, and nobody else is slower or loses anything", async (t) => {
  const [slow, busy] = [open(t, "slow"), open(t, "busy")];
  await until(() => slow.socket.readyState === 1 && busy.socket.readyState === 1, "both to be connected");
  slow.socket.pause();
  const data = "x".repeat(60_000);
  let sent = 0;
  const closed = () => /"user":"slow","error":"too_slow"/.test(server.log);
  while (!closed() && sent < 1_000) {
    // One at a time: the next when this one has come back.
    busy.socket.send(JSON.stringify({ type: "publish", event: "e", data, ephemeral: true, id: String(sent++) }));
    await until(() => busy.acks === sent || closed(), "the next message to pass");
  }
  assert.ok(closed(), `still there after ${sent} messages of 60 kB`);
  await until(() => busy.messages === sent, "the other one to have everything");
  slow.socket.resume();
  await until(() => slow.code !== undefined, "the slow one to learn of it");
  assert.equal(slow.code, 4101);
  assert.equal(busy.socket.readyState, 1);
});

test("r2_e3 when more is missed than may wait for a reader, it breaks off without a gap, and goes on", async (t) => {
  const vars = { HISTORY_BYTES: 32 * 1024 * 1024, MAX_MESSAGE_BYTES: 1024 * 1024 };
  const large = await startServer(t, { vars: { ...vars, ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } });
  const room = `${large.url}/room/large`;
  const data = "x".repeat(500_000);
  const count = 30;
  let epoch;
  for (let sent = 0; sent < count; sent++) {
    const answer = await fetch(`${room}/publish`, { method: "POST", body: JSON.stringify({ event: "e", data }) });
    ({ epoch } = await answer.json());
  }
  const [offsets, told, cut] = [[], [], []];
  for (let times = 0; times < 3 && offsets.length < count; times++) {
    const after = offsets.at(-1) ?? 0;
    const address = `${room.replace("http", "ws")}?user=ana&epoch=${epoch}&offset=${after}`;
    const socket = new WebSocket(address, ["roomful.v1"], { perMessageDeflate: false, closeTimeout: 100 });
    t.after(() => socket.terminate());
    let ended = false;
    socket.on("message", (text) => {
      for (const message of [JSON.parse(text)].flat()) {
        if (message.type === "welcome") assert.equal(message.recovered, true);
        if (message.type === "message") offsets.push(message.offset);
        if (message.type === "error") told.push(message.code);
      }
    });
    socket.on("close", (code) => {
      ended = true;
      if (code === 4101) cut.push("too_slow");
    });
    await until(() => ended || offsets.length === count, "the end of what was missed");
    socket.close(1000);
  }
  assert.deepEqual(
    offsets,
    Array.from({ length: count }, (_, index) => index + 1),
  );
  assert.ok(cut.length > 0, "it was never too slow");
  assert.deepEqual(told, cut, "it was told why");
});

test("e3 what a reader has left unread counts, whatever its socket was closed for", async (t) => {
  const vars = { HISTORY_BYTES: 32 * 1024 * 1024, MAX_MESSAGE_BYTES: 1024 * 1024, MAX_CONNECTIONS_PER_USER: 100 };
  const large = await startServer(t, { vars: { ...vars, ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } });
  const room = `${large.url}/room/large`;
  const data = "x".repeat(500_000);
  let epoch;
  for (let sent = 0; sent < 15; sent++) {
    const answer = await fetch(`${room}/publish`, { method: "POST", body: JSON.stringify({ event: "e", data }) });
    ({ epoch } = await answer.json());
  }
  const ends = () => large.log.match(/"error":"binary_frame"/g)?.length ?? 0;
  for (let left = 0; left < 5; left++) {
    const address = `${room.replace("http", "ws")}?user=mal&epoch=${epoch}&offset=0`;
    const socket = new WebSocket(address, ["roomful.v1"], { perMessageDeflate: false, closeTimeout: 100 });
    t.after(() => socket.terminate());
    let refused;
    socket.on("message", (text) => {
      refused ??= [JSON.parse(text)].flat().find(({ type }) => type === "error")?.code;
    });
    if (left < 4) {
      // At once: what was missed comes behind the handshake.
      socket.on("open", () => {
        socket.pause();
        socket.send(Buffer.from([0]));
      });
      await until(() => ends() === left + 1, "its end");
    } else {
      await until(() => refused, "a refusal");
      assert.equal(refused, "user_full");
    }
  }
});

test("r2_e3 nor does what waits for the tick come behind what was withheld", async (t) => {
  const vars = { HISTORY_BYTES: 32 * 1024 * 1024, MAX_MESSAGE_BYTES: 1024 * 1024, COMMITS_PER_SECOND: 1 };
  const large = await startServer(t, { vars: { ...vars, ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" } });
  const room = `${large.url}/room/large`;
  const message = { room: "large", event: "e", data: "x".repeat(500_000) };
  for (let sent = 0; sent < 20; sent += 2) {
    // A megabyte at a time does not wait, though it takes its turn among the commits. So much that the reader is looked at
    // shortly before the end.
    const body = JSON.stringify({ messages: [message, message] });
    assert.equal((await fetch(`${large.url}/publish`, { method: "POST", body })).status, 200);
  }
  const seen = { offsets: [], recovered: [] };
  const connect = (query, session) => {
    const protocols = session ? ["roomful.v1", `roomful.session.${session}`] : ["roomful.v1"];
    const address = `${room.replace("http", "ws")}?user=ana${query}`;
    const socket = new WebSocket(address, protocols, { perMessageDeflate: false, closeTimeout: 100 });
    t.after(() => socket.terminate());
    return socket;
  };
  const first = connect("");
  let welcome;
  first.on("message", (text) => {
    welcome ??= [JSON.parse(text)].flat()[0];
  });
  await until(() => welcome, "the welcome");
  first.send(JSON.stringify({ type: "publish", event: "e", id: "last" }));
  const taken = async () => /kind="stored"\} 21$/m.test(await (await fetch(`${room}/metrics`)).text());
  await until(taken, "the last message to wait for its commit");
  for (let times = 0; times < 4 && seen.offsets.length < 21; times++) {
    const socket = connect(`&epoch=${welcome.epoch}&offset=${seen.offsets.at(-1) ?? 0}`, welcome.session);
    let ended = false;
    socket.on("message", (text) => {
      for (const { type, offset, recovered } of [JSON.parse(text)].flat()) {
        if (type === "welcome") seen.recovered.push(recovered);
        if (type === "message") seen.offsets.push(offset);
      }
    });
    socket.on("close", () => {
      ended = true;
    });
    await until(() => ended || seen.offsets.length === 21, "the end of what was missed");
  }
  assert.ok(seen.recovered.every((recovered) => recovered === true));
  assert.deepEqual(
    seen.offsets,
    Array.from({ length: 21 }, (_, index) => index + 1),
  );
});
