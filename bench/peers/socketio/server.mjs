// A room on Socket.IO: what somebody publishes is emitted to everybody in it. WebSockets alone, without compression, and
// with its own pings.
import { createServer } from "node:http";
import { Server } from "socket.io";

const server = createServer((_, response) => response.end("socket.io"));
const io = new Server(server, {
  transports: ["websocket"],
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});

io.on("connection", (socket) => {
  socket.join("bench");
  socket.on("publish", (message) => io.to("bench").emit("publish", message));
});
server.listen(Number(process.env.PORT), "127.0.0.1");
