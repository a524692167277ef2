// Which rooms there are. The server lets people into these alone (app/api/roomful).

/** Everybody who has the app open is here; their presence state says which room they are in. */
export const LOBBY = "lobby";

export interface RoomSign {
  readonly name: string;
  readonly about: string;
}

/** The rooms that are always on the list. */
export const ROOMS: readonly RoomSign[] = [
  { name: "general", about: "What everybody should hear" },
  { name: "design", about: "Shapes, colours, and arguments about both" },
  { name: "support", about: "Ask, and somebody answers" },
  { name: "coffee", about: "Nothing to do with work" },
];

/** A room's name as it stands in addresses. */
export const isRoomName = (text: unknown): text is string =>
  typeof text === "string" && /^[a-z0-9][a-z0-9-]{0,39}$/.test(text);

/** What somebody typed as a room's name; empty if nothing is left of it. */
export const toRoomName = (text: string): string =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40)
    .replace(/-$/, "");

const PREFIX = "room:";

/** The Roomful room of a name. The prefix keeps the lobby from being opened as one. */
export const roomId = (name: string): string => PREFIX + name;

export const isRoomId = (id: string): boolean => id.startsWith(PREFIX) && isRoomName(id.slice(PREFIX.length));
