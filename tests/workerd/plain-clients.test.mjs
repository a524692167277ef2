import assert from "node:assert/strict";
import { suite, test } from "node:test";
import PartySocket from "partysocket/ws";
import ReconnectingWebSocket from "reconnecting-websocket";
import WebSocket from "ws";
import { freshRoom, get, join, post, tokenFor } from "./client.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

// A client that knows nothing of this protocol but JSON: a URL is all that it is given.
const eager = {
  WebSocket,
  minReconnectionDelay: 20,
  maxReconnectionDelay: 100,
  minUptime: 50,
  connectionTimeout: 30_000,
};
const clients = {
  partysocket: (url) => new PartySocket(url, [], eager),
  "reconnecting-websocket": (url) => new ReconnectingWebSocket(url, [], eager),
  "a bare WebSocket": bare,
};

/** What people write themselves: reconnect a moment after the end. */
function bare(url) {
  const client = new EventTarget();
  let socket;
  let over = false;
  const begin = () => {
    socket = new WebSocket(url);
    socket.on("message", (data) => client.dispatchEvent(new MessageEvent("message", { data: data.toString() })));
    socket.on("error", () => {});
    socket.on("close", () => !over && setTimeout(begin, 50));
  };
  begin();
  client.send = (text) => socket.send(text);
  client.close = () => {
    over = true;
    socket.close();
  };
  return client;
}

suite("plain clients", { concurrency: true }, () => {
  for (const [name, make] of Object.entries(clients)) {
    test(`c1 t3 ${name} joins, publishes, stays and survives a restart of the server`, async (t) => {
      const server = await startServer(t, { vars: { GRACE_SECONDS: 1, PING_SECONDS: 1, IDLE_SECONDS: 60 } });
      const room = freshRoom();
      const client = make(`${server.url.replace("http", "ws")}/room/${room}?token=${tokenFor("plain", room)}`);
      t.after(() => client.close());
      const messages = [];
      client.addEventListener("message", ({ data }) => {
        const read = JSON.parse(data);
        messages.push(...(Array.isArray(read) ? read : [read]));
      });
      const find = (fits, what) => until(() => messages.find(fits), what);
      await find(({ type }) => type === "welcome", "a welcome");
      const bob = await join(server, room, { user: "bob", plain: true });
      client.send(JSON.stringify({ type: "publish", event: "chat", data: "hello" }));
      assert.equal((await bob.find({ type: "message" })).user, "plain");
      await find(({ data }) => data === "hello", "its own message");
      // Longer than four pings without a word.
      const silent = Date.now();
      await until(() => Date.now() - silent > 5_000, "time to pass");
      await bob.publish("chat", "still there?");
      await find(({ data }) => data === "still there?", "a message after silence");
      assert.equal(messages.filter(({ type }) => type === "welcome").length, 1);

      await server.restart();
      await until(() => messages.filter(({ type }) => type === "welcome").length === 2, "another welcome");
      await post(server, `/room/${room}/publish`, { event: "chat", data: "after the restart" });
      await find(({ data }) => data === "after the restart", "a message after the restart");
      client.send(JSON.stringify({ type: "publish", event: "chat", data: "and back" }));
      await find(({ data }) => data === "and back", "its own message after the restart");
      await until(
        async () => (await get(server, `/room/${room}/presence`)).body.occupancy.connections === 1,
        "the others to leave",
      );
    });
  }
});
