"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import type { RoomfulError } from "roomful";
import { useRoom, useStatus } from "@/realtime/context";
import styles from "./refusal.module.css";

/** What is there instead of the conversation once the room has closed its door. */
export function Refusal() {
  const room = useRoom();
  const status = useStatus();
  const path = usePathname();
  if (status !== "disconnected") return null;
  const { title, text, again, signIn } = words(room.error);
  return (
    <div className={styles.cover} role="alert" data-testid="refusal" data-code={room.error?.code}>
      <div className={styles.card}>
        <h2>{title}</h2>
        <p>{text}</p>
        <div>
          {again && (
            <button className="button strong" autoFocus onClick={() => room.connect()}>
              {again}
            </button>
          )}
          {signIn && (
            <a className="button" href={`/sign-in?next=${encodeURIComponent(path)}`}>
              Sign in
            </a>
          )}
          <Link className="button" href="/">
            To the rooms
          </Link>
        </div>
      </div>
    </div>
  );
}

function words(error: RoomfulError | undefined): { title: string; text: string; again?: string; signIn?: true } {
  switch (error?.code) {
    case "removed":
      return { title: "You were taken out of this room", text: `${error.message}.`, again: "Enter again" };
    case "banned":
      return { title: "You are banned from this room", text: "Not for ever: try again in a while.", again: "Try again" };
    case "room_deleted":
      return { title: "This room was deleted", text: "What was said in it is gone.", again: "Begin anew" };
    case "auth_failed":
      return { title: "You are not let in", text: "Perhaps you signed out in another tab.", again: "Try again", signIn: true };
    case "replaced":
      return { title: "This room is open elsewhere", text: "Another page took over from this one.", again: "Take it back" };
    default:
      return { title: "The room cannot be entered", text: [error?.message, error?.hint].filter(Boolean).join(" "), again: "Try again" };
  }
}
