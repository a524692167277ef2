// Takes somebody out of a room, and keeps them out for a while if that is asked for.
import { isPersonId } from "@/realtime/person";
import { roomId } from "@/realtime/rooms";
import { roomful } from "@/server/roomful";
import { forPeople, refuse } from "@/server/route";
import { mayRemove } from "@/server/session";

const BAN_SECONDS = 60;

export const POST = forPeople(async ({ person, room, body }) => {
  if (!mayRemove(person, room)) return refuse(403, "You may not remove people from this room.");
  // Not the app's own server, which could do nothing in the room while it is banned.
  if (!isPersonId(body.user)) return refuse(400, "Whom to remove?");
  const { closed } = await roomful().disconnect(roomId(room), {
    user: body.user,
    reason: `Removed by ${person.name}`,
    ...(body.ban === true && { banSeconds: BAN_SECONDS }),
  });
  return Response.json({ closed });
});
