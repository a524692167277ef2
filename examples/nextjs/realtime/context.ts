"use client";
import { createRoomContext } from "roomful/react";
import type { Types } from "./types";

/** The lobby, around everything. It has hooks of its own, so that it can be asked inside of a room, too. */
export const lobby = createRoomContext<Types>();

/** The room that one is in. */
export const {
  RoomfulProvider,
  RoomProvider,
  useLostConnection,
  useMessages,
  useOther,
  useOthers,
  usePublish,
  useRoom,
  useSelf,
  useStatus,
  useUsers,
} = createRoomContext<Types>();
