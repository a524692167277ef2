"use client";
import { memo } from "react";
import { Avatar, tint } from "../avatar";
import styles from "./line-item.module.css";
import type { Draft, Outgoing } from "./outgoing";
import type { Line } from "./transcript";

interface Props {
  line: Line;
  isOwn: boolean;
  outgoing: Outgoing;
  /** Puts what was refused back to where it was written. */
  onEdit: (draft: Draft) => void;
}

export const LineItem = memo(function LineItem({ line, isOwn, outgoing, onEdit }: Props) {
  const { key, kind, author, name, text, at, follows, opensDay, draft } = line;
  return (
    <li className={styles.item} data-key={key} data-kind={kind} data-state={draft ? (draft.problem ? "refused" : "unsent") : "settled"}>
      {opensDay && <h2 className={styles.day}>{day(at)}</h2>}
      {kind === "announcement" ? (
        <div className={styles.announcement}>
          <span>
            Announcement by {name} · <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
          </span>
          <p data-testid="text">{text}</p>
        </div>
      ) : (
        <div className={styles.line} data-follows={follows}>
          {!follows && <Avatar id={author} name={name} />}
          <div className={styles.body}>
            <div className={follows ? "unseen" : styles.about}>
              <b className="tinted cut" style={tint(author)}>
                {name}
              </b>
              {isOwn && <span>you</span>}
              <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
            </div>
            <p data-testid="text">{text}</p>
            {draft?.problem && (
              <div className={styles.problem}>
                <span>Not sent. {draft.problem}</span>
                <button className="button" onClick={() => outgoing.retry(draft)}>
                  Try again
                </button>
                <button className="button" onClick={() => onEdit(draft)}>
                  Edit
                </button>
                <button className="button quiet" onClick={() => outgoing.drop([key])}>
                  Discard
                </button>
              </div>
            )}
          </div>
          {draft && !draft.problem && (
            <span className={styles.unsent} title="On its way">
              <span className="unseen">on its way</span>
            </span>
          )}
        </div>
      )}
    </li>
  );
}, isSame);

/** Lines are made anew with every message; most say what they said before. */
function isSame(before: Props, after: Props): boolean {
  const [a, b] = [before.line, after.line];
  return (
    before.isOwn === after.isOwn &&
    a.draft === b.draft &&
    a.text === b.text &&
    a.at === b.at &&
    a.follows === b.follows &&
    a.opensDay === b.opensDay
  );
}

const clock = (at: number) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function day(at: number): string {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return new Date(at).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}
