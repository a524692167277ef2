import type { RoomfulError } from "roomful";
import { LONGEST_TEXT } from "@/realtime/schemas";

/** Why a message was not taken, in words for the one who wrote it. */
export function explain({ code }: RoomfulError): string {
  switch (code) {
    case "invalid_data":
    case "message_too_large":
      return `It is too long: ${LONGEST_TEXT.toLocaleString("en")} characters are the most.`;
    case "forbidden":
      return "You may not write here.";
    case "outbox_full":
      return "Too many messages wait for the connection.";
    case "removed":
    case "banned":
    case "room_deleted":
    case "left":
      return "You were not in the room any more.";
    default:
      return "The room did not take it.";
  }
}
