"use client";
import { useEffect } from "react";
import type { CSSProperties, RefObject } from "react";
import { useOther, useOthers, useRoom } from "@/realtime/context";
import { tint } from "../avatar";
import styles from "./cursors.module.css";

/** The others' pointers over a pane, and one's own for the others. */
export function Cursors({ me, pane }: { me: string; pane: RefObject<HTMLElement | null> }) {
  useOwnCursor(pane);
  // Only who has a pointer here: that changes seldom, while the pointers move all the time.
  const pointing = useOthers((others) =>
    others.filter(({ user, state }) => user.id !== me && state?.cursor).map(({ connection }) => connection),
  );
  return (
    <div className={styles.overlay} aria-hidden="true">
      {pointing.map((connection) => (
        <Cursor key={connection} connection={connection} />
      ))}
    </div>
  );
}

function Cursor({ connection }: { connection: string }) {
  const user = useOther(connection, (other) => other.user);
  const cursor = useOther(connection, ({ state }) => state?.cursor);
  if (!user || !cursor) return null;
  const place = { "--x": cursor.x, "--y": cursor.y } as CSSProperties;
  return (
    <div className={`tinted ${styles.cursor}`} style={{ ...tint(user.id), ...place }} data-testid="cursor">
      <svg viewBox="0 0 16 18">
        <path d="M1 1l5.2 15 2.6-6.2L15 7.4z" />
      </svg>
      <span className="cut">{user.info.name}</span>
    </div>
  );
}

function useOwnCursor(pane: RefObject<HTMLElement | null>): void {
  // The room rather than `useMyState`: nothing has to be rendered because one's own pointer moved.
  const room = useRoom();
  useEffect(() => {
    const box = pane.current;
    if (!box) return;
    const move = ({ clientX, clientY, pointerType }: PointerEvent) => {
      // A finger does not hover.
      if (pointerType === "touch") return;
      const { left, top, width, height } = box.getBoundingClientRect();
      room.presence.update({ cursor: { x: share((clientX - left) / width), y: share((clientY - top) / height) } });
    };
    const leave = () => room.presence.update({ cursor: null });
    box.addEventListener("pointermove", move);
    box.addEventListener("pointerleave", leave);
    return () => {
      box.removeEventListener("pointermove", move);
      box.removeEventListener("pointerleave", leave);
    };
  }, [room, pane]);
}

/** Short on the wire, and finer than a pixel. */
const share = (value: number) => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
