"use client";
import { useRef, useState } from "react";
import { RoomProvider, useStatus } from "@/realtime/context";
import { roomId } from "@/realtime/rooms";
import { useWhereabouts } from "../lobby/whereabouts";
import { Composer } from "./composer";
import type { Sheet } from "./composer";
import { ConnectionBanner } from "./connection-banner";
import { Conversation } from "./conversation";
import { Cursors } from "./cursors";
import { useOutgoing } from "./outgoing";
import type { Draft } from "./outgoing";
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
  const isOut = useStatus() === "disconnected";
  const pane = useRef<HTMLDivElement>(null);
  const sheet = useRef<Sheet>(null);
  const [listed, setListed] = useState(false);

  function edit({ key, text }: Draft): void {
    outgoing.drop([key]);
    sheet.current?.putBack(text);
  }

  return (
    <main className={styles.screen}>
      <section className={styles.main} aria-label={`The room ${name}`}>
        <header className={styles.header}>
          <h1 className="cut">{name}</h1>
          <Connection />
          <button
            className={`button quiet ${styles.toggle}`}
            aria-expanded={listed}
            aria-controls="people"
            onClick={() => setListed(!listed)}
          >
            <Present />
            <svg viewBox="0 0 10 6" width="10" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
              <path d="M1 1l4 4 4-4" />
            </svg>
          </button>
        </header>
        <div className={styles.pane} ref={pane}>
          <div className={styles.pane} inert={isOut}>
            <Conversation me={me} outgoing={outgoing} onEdit={edit} />
          </div>
          <Cursors me={me} pane={pane} />
          <ConnectionBanner />
          <Refusal />
        </div>
        <Typing me={me} />
        <Composer ref={sheet} room={name} disabled={isOut} onSend={outgoing.send} />
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
