// The yardstick: a room as everybody first writes it. One frame for each message and reader, no presence, no history, no
// resume, no limits.
import { DurableObject } from "cloudflare:workers";

export class Room extends DurableObject {
  fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    const headers = { "Sec-WebSocket-Protocol": "roomful.v1" };
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  webSocketMessage(_, message) {
    for (const socket of this.ctx.getWebSockets()) {
      try {
        socket.send(message);
      } catch {
        // It is closing.
      }
    }
  }

  webSocketClose(socket) {
    socket.close();
  }
}

export default {
  fetch(request, env) {
    if (request.headers.get("Upgrade") !== "websocket") return new Response("bare");
    return env.ROOMS.get(env.ROOMS.idFromName(new URL(request.url).pathname)).fetch(request);
  },
};
