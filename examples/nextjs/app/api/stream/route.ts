// A token for the dashboard's event stream. An EventSource cannot send headers, so this one stands in an address, and
// addresses end up in logs: it lasts a minute, and whoever finds it can listen to one room, and nothing else.
import { createToken } from "roomful/server";
import { roomId } from "@/realtime/rooms";
import { environment } from "@/server/environment";
import { forPeople } from "@/server/route";

const SECONDS = 60;

export const POST = forPeople(async ({ person, room }) => {
  const token = await createToken({
    secret: environment("ROOMFUL_SECRET"),
    user: person.id,
    room: roomId(room),
    can: ["subscribe"],
    expiresIn: SECONDS,
  });
  return Response.json({ token }, { headers: { "cache-control": "no-store" } });
});
