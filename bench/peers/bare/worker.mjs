// The yardstick: a room as everybody first writes it. One frame for each message and reader, no presence, no history, no
// resume, no limits.
import { DurableObject } from "cloudflare:workers";

export class Room extends DurableObject {
  constructor(context, env) {
    super(context, env);
    this.awakeSince = Date.now();
    context.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  fetch(request) {
    if (request.headers.get("Upgrade") !== "websocket") return Response.json({ awake_since: this.awakeSince });
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
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return new Response("bare");
    return env.ROOMS.get(env.ROOMS.idFromName(pathname)).fetch(request);
  },
};
