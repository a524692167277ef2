"use client";
import { useEffect, useMemo, useRef } from "react";
import { useMessages, useStatus } from "@/realtime/context";
import styles from "./conversation.module.css";
import { LineItem } from "./line-item";
import { News } from "./news";
import type { Draft, Outgoing } from "./outgoing";
import { useReadingPlace } from "./reading-place";
import { pending, transcript } from "./transcript";

const PAGE = 40;

interface Props {
  me: string;
  outgoing: Outgoing;
  onEdit: (draft: Draft) => void;
}

export function Conversation({ me, outgoing, onEdit }: Props) {
  const { messages, loading, more, loadMore, error } = useMessages(["chat", "announcement"], { limit: PAGE });
  const status = useStatus();
  const { drafts, drop } = outgoing;
  const waiting = useMemo(() => pending(drafts, messages, me), [drafts, messages, me]);
  const lines = useMemo(() => transcript(messages, waiting, me), [messages, waiting, me]);
  const { scroller, content, atEnd, toEnd } = useReadingPlace();

  // What has arrived is no draft any more.
  useEffect(() => {
    if (waiting.length < drafts.length) {
      drop(drafts.filter((draft) => !waiting.includes(draft)).map(({ key }) => key));
    }
  }, [drafts, waiting, drop]);

  // Whoever writes wants to see it.
  const newest = drafts.at(-1)?.key;
  useEffect(() => {
    if (newest) toEnd();
  }, [newest, toEnd]);

  // Older messages, before one comes to the first that is here.
  const top = useRef<HTMLDivElement>(null);
  const oldest = messages[0]?.offset;
  useEffect(() => {
    if (!more || loading || error || !top.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && loadMore(),
      { root: scroller.current, rootMargin: "600px 0px 0px" },
    );
    observer.observe(top.current);
    return () => observer.disconnect();
  }, [more, loading, error, oldest, loadMore, scroller]);

  const isEmpty = lines.length === 0;
  return (
    <>
      <div className={styles.scroller} ref={scroller} tabIndex={0} role="region" aria-label="Messages" data-testid="messages">
        <div className={styles.content} ref={content}>
          <div className={styles.top} ref={top}>
            {error && more && status === "connected" ? (
              <button className="button quiet" onClick={loadMore}>
                Older messages did not come. Try again
              </button>
            ) : more ? (
              "Older messages …"
            ) : (
              !isEmpty && !loading && "This is where it began."
            )}
          </div>
          {isEmpty && !loading && status === "connected" && (
            <div className={styles.empty}>
              <strong>Nothing was said here yet</strong>
              <p>Write the first message. Whoever comes later finds it here.</p>
            </div>
          )}
          <ol className={styles.lines}>
            {lines.map((line) => (
              <LineItem key={line.key} line={line} isOwn={line.author === me} outgoing={outgoing} onEdit={onEdit} />
            ))}
          </ol>
        </div>
      </div>
      <News messages={messages} loading={loading} me={me} atEnd={atEnd} toEnd={toEnd} />
    </>
  );
}
