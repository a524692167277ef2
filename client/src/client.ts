// Where everything begins.
import { createRoom } from "./room.ts";
import type { ClientOptions, Room, RoomOptions, RoomTypes } from "./types.ts";

/** Reaches the rooms of one Worker as one user. */
export interface Client<T extends RoomTypes = RoomTypes> {
  /**
   * A room by its name. Everybody who asks for the same room shares one connection, and has a `Room` of their own
   * with its own handlers, to be left by its own `leave()`.
   */
  room<R extends RoomTypes = T>(id: string, options?: RoomOptions<R>): Room<R>;
}

/**
 * Makes a client. Nothing is connected before a room is asked for.
 *
 * ```ts
 * const client = createClient({ url: "https://realtime.example.com", authEndpoint: "/api/roomful" });
 * const room = client.room("lobby");
 * room.on("chat", ({ text }, { user }) => console.log(`${user}: ${text}`));
 * await room.publish("chat", { text: "hello" });
 * ```
 */
export function createClient<T extends RoomTypes = RoomTypes>(options: ClientOptions<T>): Client<T> {
  // A room that nobody refers to any more may go.
  const rooms = new Map<string, WeakRef<ReturnType<typeof createRoom>>>();
  return {
    room(id, roomOptions = {}) {
      let hold = rooms.get(id)?.deref();
      if (!hold) {
        hold = createRoom(id, options as ClientOptions);
        rooms.set(id, new WeakRef(hold));
      }
      return hold(roomOptions as RoomOptions) as Room<any>;
    },
  };
}
