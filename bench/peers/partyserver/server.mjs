// PartyServer as its own documentation shows it: hibernation on, and `broadcast` for what somebody says. With HISTORY set,
// every message is a row as well, which is the least that a history costs.
import { Server, routePartykitRequest } from "partyserver";

export class Room extends Server {
  static options = { hibernate: true };
  awakeSince = Date.now();

  onStart() {
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    if (!this.env.HISTORY) return;
    this.sql`CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, message TEXT NOT NULL)`;
  }

  onRequest() {
    return Response.json({ awake_since: this.awakeSince });
  }

  onMessage(_, message) {
    if (this.env.HISTORY) this.sql`INSERT INTO messages (at, message) VALUES (${Date.now()}, ${message})`;
    this.broadcast(message);
  }
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return new Response("partyserver");
    return (await routePartykitRequest(request, env)) ?? new Response(null, { status: 404 });
  },
};
