// Where browsers get their tokens: who somebody is, and which rooms they may enter, is decided here.
import { createAuthHandler } from "roomful/server";
import { isRoomId, LOBBY } from "@/realtime/rooms";
import type { Types } from "@/realtime/types";
import { signedIn } from "@/server/session";

export const POST = createAuthHandler<Types>({
  secret: process.env.ROOMFUL_SECRET!,
  // Short for a demonstration: pages get the next one before this one ends, on the connection that they have.
  expiresIn: Number(process.env.ROOMFUL_TOKEN_SECONDS) || 600,
  async authorize({ room }) {
    const person = await signedIn();
    if (!person) return new Response(null, { status: 401 });
    const user = { user: person.id, info: { name: person.name } };
    // In the lobby one is seen, and says nothing.
    if (room === LOBBY) return { ...user, can: ["presence"] };
    // A demo: every room is open to everybody. Look here whether this person belongs into this room.
    return isRoomId(room) ? user : null;
  },
});
