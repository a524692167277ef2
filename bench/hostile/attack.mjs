// One hostile user, in a process of its own: node bench/hostile/attack.mjs <attack> <port>. It goes on until its standard
// input ends, and then prints what has become of it as JSON.
import { request } from "node:http";
import net from "node:net";
import { createInterface } from "node:readline";
import WebSocket from "ws";

const [, , name, port] = process.argv;
const address = `ws://127.0.0.1:${port}/room/bench?user=eve`;
const LARGE = "x".repeat(60_000);

/** What came of it: connections opened and refused, close codes, and answers by type or error code. */
const seen = { opened: 0, refused: 0, closes: {}, answers: {}, sent: 0 };
const count = (table, key) => {
  table[key] = (table[key] ?? 0) + 1;
};

/** Opens a connection; `then` gets it with its welcome. One that was closed comes again after a tenth of a second. */
function enter(then, { again = true } = {}) {
  const socket = new WebSocket(address, ["roomful.v1"], { perMessageDeflate: false, closeTimeout: 100 });
  let welcome = false;
  socket.on("error", () => {});
  socket.on("message", (data) => {
    // The first characters tell enough, and cost the machine the least.
    const text = data.toString("utf8", 0, 100);
    if (!welcome) {
      if (!text.startsWith('{"type":"welcome"')) return void seen.refused++;
      welcome = true;
      seen.opened++;
      return then(socket);
    }
    for (const [, code] of text.matchAll(/"code":"(\w+)"/g)) count(seen.answers, code);
  });
  socket.on("close", (code) => {
    count(seen.closes, code);
    if (again) setTimeout(() => enter(then), 100);
  });
}

/** Sends `text` so many times a second, in portions of 10 ms, as long as the socket takes it. */
function often(socket, perSecond, text) {
  let owed = 0;
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return clearInterval(timer);
    // Whoever attacks is not held up by its own queue.
    if (socket.bufferedAmount > 4_000_000) return;
    for (owed += perSecond / 100; owed >= 1; owed--) {
      socket.send(typeof text === "function" ? text(seen.sent) : text);
      seen.sent++;
    }
  }, 10);
}

const times = (count, what) => {
  for (let index = 0; index < count; index++) what(index);
};
const json = JSON.stringify;

/** So much history that each page is as large as it may be: 256 KiB. */
const fill = (socket) => times(120, () => socket.send(json({ type: "publish", event: "e", data: "x".repeat(2_500) })));

const attacks = {
  /** Ten connections, each at ten times the rate. */
  messages: () => times(10, () => enter((socket) => often(socket, 1_000, json({ type: "publish", event: "e", ephemeral: true, data: 1 })))),
  /** All fifty at the rate that each may have. */
  crowd: () => times(50, () => enter((socket) => often(socket, 100, json({ type: "publish", event: "e", ephemeral: true, data: 1 })))),
  /** One connection sends messages of 60 kB to everybody, as many as it may. */
  large: () => enter((socket) => often(socket, 100, json({ type: "publish", event: "e", ephemeral: true, data: LARGE }))),
  /** All fifty do that. */
  most: () => times(50, () => enter((socket) => often(socket, 100, json({ type: "publish", event: "e", ephemeral: true, data: LARGE })))),
  /** Ten do nothing but send frames of 60 kB of which each is over the rate. */
  refused: () => times(10, () => enter((socket) => often(socket, 300, json({ type: "nothing", data: LARGE })))),
  /** Fifty set states of the largest size. */
  states: () => times(50, () => enter((socket) => often(socket, 20, (n) => json({ type: "state", state: `${n % 10}${"x".repeat(4_000)}` })))),
  /** Ten page through the history. */
  history() {
    enter(fill);
    times(10, () => enter((socket) => often(socket, 100, json({ type: "history", limit: 500 }))));
  },
  /** Opens and leaves, as often as it can. */
  connects: () => times(20, () => enter((socket) => socket.close(1000))),
  /** Publishes what is stored, with ids of the largest size. */
  ids: () =>
    times(10, () => enter((socket) => often(socket, 100, (n) => json({ type: "publish", event: "e", id: `${n}`.padStart(64, "i") })))),
  /** Renews with tokens that are not valid. */
  renewals: () => times(10, () => enter((socket) => often(socket, 100, json({ type: "auth", token: "x".repeat(8_000) })))),
  /** Fifty that do not read, while one sends what they would have to. */
  slow() {
    times(49, () => enter((socket) => socket.pause(), { again: false }));
    enter((socket) => often(socket, 100, json({ type: "publish", event: "e", ephemeral: true, data: LARGE })));
  },
  /** A thousand sockets that send half a request, or a byte of it now and then. */
  slowloris: () =>
    times(1_000, (index) => {
      const socket = net.connect(Number(port), "127.0.0.1", () => {
        seen.opened++;
        socket.write("GET /room/bench HTTP/1.1\r\nHost: x\r\n");
        if (index % 2) setInterval(() => socket.write("x"), 500);
      });
      socket.on("error", () => {});
    }),
  /** Twenty loops that read over HTTP. */
  reads() {
    enter(fill);
    times(20, read);
  },
};

function read() {
  const options = { port, path: "/room/bench/history?limit=500&user=eve", agent: false };
  const again = () => setTimeout(read, 1);
  request(options, (response) => {
    seen.sent++;
    count(seen.answers, response.statusCode);
    response.resume().on("end", again);
  })
    .on("error", again)
    .end();
}

attacks[name]();
createInterface({ input: process.stdin }).on("close", () => {
  process.stdout.write(`${json(seen)}\n`, () => process.exit(0));
});
