"use client";
import { useEffect } from "react";
import type { User } from "roomful";
import { lobby } from "@/realtime/context";
import { isRoomName } from "@/realtime/rooms";
import type { Types } from "@/realtime/types";

export interface Somebody {
  readonly id: string;
  readonly name: string;
}

/** The people of each room that somebody is in. Who has several tabs may be in several rooms. */
export function whoIsWhere(users: readonly User<Types>[]): ReadonlyMap<string, readonly Somebody[]> {
  const where = new Map<string, Somebody[]>();
  for (const { id, info, members } of users) {
    // A state is what somebody says of themselves: look at it before it becomes a link.
    const rooms = new Set(members.map(({ state }) => state?.room).filter(isRoomName));
    for (const room of rooms) {
      const people = where.get(room) ?? [];
      people.push({ id, name: info.name });
      where.set(room, people);
    }
  }
  return where;
}

/** Tells the lobby that one is in a room, for as long as the component is there. */
export function useWhereabouts(room: string): void {
  const [, update] = lobby.useMyState();
  useEffect(() => {
    update({ room });
    return () => update({ room: null });
  }, [room, update]);
}
