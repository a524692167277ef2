// Publishes from the server, as an order that was paid or a build that is done would.
import { roomId } from "@/realtime/rooms";
import { LONGEST_TEXT } from "@/realtime/schemas";
import { roomful } from "@/server/roomful";
import { forPeople, refuse } from "@/server/route";

export const POST = forPeople(async ({ person, room, body }) => {
  const text = typeof body.text === "string" ? body.text.trim() : "";
  if (!text || text.length > LONGEST_TEXT) return refuse(400, "An announcement needs a text that is not too long.");
  const { offset } = await roomful().publish(roomId(room), "announcement", { text, by: person.name });
  return Response.json({ offset });
});
