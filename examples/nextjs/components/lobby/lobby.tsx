"use client";
import { useMemo } from "react";
import { lobby } from "@/realtime/context";
import { ROOMS } from "@/realtime/rooms";
import styles from "./lobby.module.css";
import { OpenRoom } from "./open-room";
import { RoomCard } from "./room-card";
import { whoIsWhere } from "./whereabouts";

export function Lobby({ name }: { name: string }) {
  const status = lobby.useStatus();
  const { error } = lobby.useRoom();
  const users = lobby.useUsers();
  const where = useMemo(() => whoIsWhere(users), [users]);
  const others = [...where.keys()].filter((room) => !ROOMS.some((sign) => sign.name === room)).sort();
  const isKnown = status === "connected" || status === "reconnecting";
  return (
    <main className={styles.page}>
      <div className={styles.top}>
        <div>
          <h1>Hello, {name}</h1>
          <p data-testid="online" role="status">
            {isKnown ? (
              online(users.length)
            ) : status !== "disconnected" ? (
              "Looking who is here …"
            ) : error?.code === "auth_failed" ? (
              <>
                You are signed out. <a href="/sign-in">Sign in again</a>
              </>
            ) : (
              error?.message
            )}
          </p>
        </div>
        <OpenRoom />
      </div>
      <section aria-labelledby="rooms">
        <h2 id="rooms">Rooms</h2>
        <ul className={styles.rooms}>
          {ROOMS.map((sign) => (
            <RoomCard key={sign.name} {...sign} people={isKnown ? (where.get(sign.name) ?? []) : null} />
          ))}
        </ul>
      </section>
      <section aria-labelledby="others">
        <h2 id="others">Opened by name</h2>
        {others.length ? (
          <ul className={styles.rooms}>
            {others.map((room) => (
              <RoomCard key={room} name={room} about="Here for as long as somebody is in it" people={where.get(room) ?? []} />
            ))}
          </ul>
        ) : (
          <p className={styles.none}>None at the moment. Open one above, and everybody sees it here.</p>
        )}
      </section>
    </main>
  );
}

const online = (count: number) => (count === 1 ? "Nobody else is here yet." : `${count} people are here, you among them.`);
