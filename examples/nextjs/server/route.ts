// What the routes have in common that act for somebody who is signed in.
import { RoomfulError } from "roomful/server";
import { isRoomName } from "@/realtime/rooms";
import type { Person } from "./session";
import { signedIn } from "./session";

/** What a page asks for: always about one room. */
export interface Asked {
  readonly person: Person;
  readonly room: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * A `POST` with JSON by somebody who is signed in. The content type matters: a form of another site could bring the
 * cookie along, but cannot send JSON without being asked for permission first.
 */
export const forPeople = (act: (asked: Asked) => Promise<Response>) => async (request: Request) => {
  const person = await signedIn();
  if (!person) return refuse(401, "You are not signed in.");
  const isJson = request.headers.get("content-type")?.startsWith("application/json");
  const body: unknown = isJson ? await request.json().catch(() => null) : null;
  if (!isRecord(body) || !isRoomName(body.room)) return refuse(400, "This request is not understood.");
  try {
    return await act({ person, room: body.room, body });
  } catch (error) {
    if (!(error instanceof RoomfulError)) throw error;
    console.error(error);
    return refuse(502, "The rooms cannot be reached at the moment.");
  }
};

export const refuse = (status: number, message: string) => Response.json({ message }, { status });

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
