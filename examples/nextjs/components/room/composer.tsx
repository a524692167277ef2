"use client";
import { useEffect, useImperativeHandle, useRef, useState } from "react";
import type { KeyboardEvent, Ref } from "react";
import { useRoom } from "@/realtime/context";
import { post } from "../post";
import styles from "./composer.module.css";

/** Who has not touched a key for this long is not typing. */
const TYPING_MS = 3_000;

/** What others may do with what is being written. */
export interface Sheet {
  /** Puts a text before what stands there. */
  putBack(text: string): void;
}

interface Props {
  ref: Ref<Sheet>;
  room: string;
  /** Nothing can be said, but what was written stays. */
  disabled: boolean;
  onSend: (text: string) => void;
}

export function Composer({ ref, room, disabled, onSend }: Props) {
  const [text, setText] = useState("");
  const [announcing, setAnnouncing] = useState(false);
  const [problem, setProblem] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const typing = useTyping();
  const isIdle = disabled || announcing || !text.trim();

  useImperativeHandle(ref, () => ({
    putBack(before) {
      setText((after) => (after.trim() ? `${before}\n${after}` : before));
      field.current?.focus();
    },
  }), []);

  function send(): void {
    const said = text.trim();
    if (!said) return;
    typing(false);
    setText("");
    setProblem("");
    onSend(said);
    field.current?.focus();
  }

  async function announce(): Promise<void> {
    const said = text.trim();
    if (!said) return;
    typing(false);
    setAnnouncing(true);
    const refusal = await post("/api/announce", { room, text: said });
    setAnnouncing(false);
    setProblem(refusal ?? "");
    if (!refusal) setText("");
    field.current?.focus();
  }

  function pressed(event: KeyboardEvent): void {
    // Enter also ends what is composed with an input method.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      className={styles.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {problem && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
      <div className={styles.frame}>
        <textarea
          ref={field}
          className={styles.text}
          aria-label="Message"
          placeholder="Write a message"
          rows={1}
          value={text}
          disabled={disabled}
          readOnly={announcing}
          onChange={({ target }) => {
            setText(target.value);
            typing(target.value.trim() !== "");
          }}
          onBlur={() => typing(false)}
          onKeyDown={pressed}
        />
        <button
          type="button"
          className="button quiet square"
          aria-label="Announce: the server says it to everybody"
          title="Announce: the server says it to everybody"
          disabled={isIdle}
          onClick={announce}
        >
          <svg viewBox="0 0 20 20" width="20" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinejoin="round" aria-hidden="true">
            <path d="M3 8v4h3l7 4V4L6 8zM16 8.2c.6.4 1 1 1 1.8s-.4 1.4-1 1.8M7 12.5l1 4h2" />
          </svg>
        </button>
        <button className="button strong square" aria-label="Send" disabled={isIdle}>
          <svg viewBox="0 0 20 20" width="20" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
            <path d="M10 16V4M5 9l5-5 5 5" />
          </svg>
        </button>
      </div>
    </form>
  );
}

/** Tells the others whether one is typing, and by itself when it is over. */
function useTyping(): (isTyping: boolean) => void {
  const { presence } = useRoom();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (isTyping) => {
    clearTimeout(timer.current);
    if (isTyping) timer.current = setTimeout(() => presence.update({ typing: null }), TYPING_MS);
    if (isTyping !== !!presence.state?.typing) presence.update({ typing: isTyping || null });
  };
}
