// A room on Node with nothing but `ws`: what somebody says goes to all clients of the path. Compression is off, as it is by
// default.
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const rooms = new Map();
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const server = createServer((_, response) => response.end("ws"));

server.on("upgrade", (request, socket, head) => {
  const room = request.url.split("?")[0];
  sockets.handleUpgrade(request, socket, head, (client) => join(room, client));
});
server.listen(Number(process.env.PORT), "127.0.0.1");

function join(room, client) {
  const clients = rooms.get(room) ?? new Set();
  rooms.set(room, clients.add(client));
  client.on("error", () => client.terminate());
  client.on("close", () => clients.delete(client));
  client.on("message", (data) => {
    const text = data.toString();
    if (text === "ping") return client.send("pong");
    for (const other of clients) if (other.readyState === WebSocket.OPEN) other.send(text);
  });
}
