"use client";
import { useEffect, useRef, useState } from "react";
import { nameOf } from "@/realtime/person";
import styles from "./news.module.css";
import { isAnnouncement } from "./transcript";
import type { Said } from "./transcript";

/** How long a screen reader is left alone after it was told of something. */
const QUIET_MS = 4_000;

interface Props {
  messages: readonly Said[];
  /** Whether the first of them are still to come. */
  loading: boolean;
  me: string;
  atEnd: boolean;
  toEnd: () => void;
}

/** Tells of messages by others: those below what is in sight, and for ears all that come. */
export function News({ messages, loading, me, atEnd, toEnd }: Props) {
  const last = messages.at(-1)?.offset ?? 0;
  const [seen, setSeen] = useState(last);
  if (atEnd && seen !== last) setSeen(last);
  const unread = atEnd ? 0 : messages.filter(({ offset = 0, user }) => offset > seen && user !== me).length;
  return (
    <>
      {!atEnd && (
        <button className={`button strong ${styles.down}`} onClick={toEnd}>
          {unread === 0 ? "To the newest" : unread === 1 ? "1 new message" : `${unread} new messages`}
          <span aria-hidden="true">↓</span>
        </button>
      )}
      <Spoken messages={messages} loading={loading} me={me} />
    </>
  );
}

/** One sentence every few seconds at most. What was there before is not read out. */
function Spoken({ messages, loading, me }: Pick<Props, "messages" | "loading" | "me">) {
  const [sentence, setSentence] = useState("");
  const told = useRef<number>(undefined);
  const free = useRef(0);
  const last = messages.at(-1)?.offset ?? 0;
  useEffect(() => {
    if (loading && told.current === undefined) return;
    // A room that was deleted counts from one again.
    told.current = Math.min(told.current ?? last, last);
    const fresh = messages.filter(({ offset = 0, user }) => offset > told.current! && user !== me);
    if (!fresh.length) return;
    const timer = setTimeout(
      () => {
        told.current = last;
        free.current = Date.now() + QUIET_MS;
        const [only] = fresh;
        setSentence(fresh.length === 1 && only ? read(only) : `${fresh.length} new messages`);
      },
      Math.max(0, free.current - Date.now()),
    );
    return () => clearTimeout(timer);
  }, [last, loading, messages, me]);
  return (
    <p className="unseen" aria-live="polite">
      {sentence}
    </p>
  );
}

const read = (message: Said) =>
  `${isAnnouncement(message) ? "Announcement" : nameOf(message.user)}: ${message.data.text.slice(0, 200)}`;
