"use client";
import type { ReactNode } from "react";
import { lobby, RoomfulProvider } from "./context";
import { LOBBY } from "./rooms";
import { schemas } from "./schemas";

/** The one client of the app, and everybody's place in the lobby. On the server it connects nothing. */
export function Realtime({ url, children }: { url: string; children: ReactNode }) {
  return (
    <RoomfulProvider url={url} authEndpoint="/api/roomful" schemas={schemas}>
      <lobby.RoomProvider id={LOBBY} initialState={{}}>
        {children}
      </lobby.RoomProvider>
    </RoomfulProvider>
  );
}
