"use client";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { toRoomName } from "@/realtime/rooms";
import styles from "./lobby.module.css";

export function OpenRoom() {
  const router = useRouter();
  const [text, setText] = useState("");
  const name = toRoomName(text);
  return (
    <form
      className={styles.open}
      onSubmit={(event) => {
        event.preventDefault();
        if (name) router.push(`/room/${name}`);
      }}
    >
      <label htmlFor="open">Open a room by name</label>
      <input
        className="field"
        id="open"
        value={text}
        onChange={(event) => setText(event.target.value)}
        maxLength={60}
        autoComplete="off"
        spellCheck={false}
        placeholder="friday-demo"
      />
      <button className="button strong" disabled={!name}>
        Open
      </button>
    </form>
  );
}
