"use client";
import { useRef, useState } from "react";
import { RoomProvider, useStatus } from "@/realtime/context";
import { roomId } from "@/realtime/rooms";
import { useWhereabouts } from "../lobby/whereabouts";
import { Composer } from "./composer";
import { ConnectionBanner } from "./connection-banner";
import { Conversation } from "./conversation";
import { Cursors } from "./cursors";
import { useOutgoing } from "./outgoing";
import { People, Present } from "./people";
import { Refusal } from "./refusal";
import styles from "./room.module.css";
import { Typing } from "./typing";

export function Room({ name, me }: { name: string; me: string }) {
  useWhereabouts(name);
  return (
    <RoomProvider id={roomId(name)} initialState={{}}>
      <Screen name={name} me={me} />
    </RoomProvider>
  );
}

function Screen({ name, me }: { name: string; me: string }) {
  const outgoing = useOutgoing();
  const pane = useRef<HTMLDivElement>(null);
  const [listed, setListed] = useState(false);
  return (
    <main className={styles.screen}>
      <section className={styles.main} aria-label={`The room ${name}`}>
        <header className={styles.header}>
          <h1 className="cut">{name}</h1>
          <Connection />
          <Present />
          <button
            className={`button quiet ${styles.toggle}`}
            aria-expanded={listed}
            aria-controls="people"
            onClick={() => setListed(!listed)}
          >
            People
          </button>
        </header>
        <div className={styles.pane} ref={pane}>
          <Conversation me={me} outgoing={outgoing} />
          <Cursors me={me} pane={pane} />
          <ConnectionBanner />
          <Refusal />
        </div>
        <Typing me={me} />
        <Composer room={name} onSend={outgoing.send} />
      </section>
      <aside id="people" className={styles.aside} data-listed={listed} aria-label="People in this room">
        <People room={name} me={me} />
      </aside>
    </main>
  );
}

const WORDS = {
  initial: "Connecting",
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  disconnected: "Disconnected",
};

function Connection() {
  const status = useStatus();
  return (
    <span className={styles.status} data-status={status} data-testid="status">
      {WORDS[status]}
    </span>
  );
}
