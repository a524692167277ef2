"use client";
import { useId, useState } from "react";
import type { User } from "roomful";
import { useStatus, useUsers } from "@/realtime/context";
import type { Types } from "@/realtime/types";
import { Avatar, AvatarStack } from "../avatar";
import { post } from "../post";
import styles from "./people.module.css";

/** The people here at a glance, where there is no space for the list. */
export function Present() {
  const users = useUsers();
  return (
    <>
      <AvatarStack people={users.map(({ id, info }) => ({ id, name: info.name }))} most={3} />
      <span className="unseen">{users.length} people</span>
    </>
  );
}

/** Everybody who is here, oneself first: people rather than connections, so two tabs are one. */
export function People({ room, me }: { room: string; me: string }) {
  const users = useUsers();
  const status = useStatus();
  const sorted = [...users].sort((a, b) => Number(b.id === me) - Number(a.id === me));
  return (
    <>
      <h2 className={styles.title}>
        Here <span>{users.length || ""}</span>
      </h2>
      <ul data-testid="people" data-stale={status !== "connected"} className={styles.people}>
        {sorted.map((user) => (
          <Person key={user.id} user={user} room={room} isMe={user.id === me} />
        ))}
      </ul>
      {status === "connected" && users.length === 1 && (
        <p className={styles.alone}>Nobody else yet. Open this page in a private window to be somebody else there.</p>
      )}
    </>
  );
}

function Person({ user, room, isMe }: { user: User<Types>; room: string; isMe: boolean }) {
  const [asked, setAsked] = useState(false);
  const [problem, setProblem] = useState("");
  const menu = useId();
  const { id, info, members } = user;

  async function remove(ban: boolean): Promise<void> {
    setProblem((await post("/api/remove", { room, user: id, ban })) ?? "");
    setAsked(false);
  }

  return (
    <li className={styles.person} data-user={id}>
      <div className={styles.row}>
        <Avatar id={id} name={info.name} />
        <span className="cut" data-testid="name">
          {info.name}
        </span>
        {isMe && <span className={styles.tag}>you</span>}
        {members.length > 1 && <span className={styles.tag}>{members.length} tabs</span>}
        {!isMe && (
          <button
            className="button quiet square"
            aria-label={`Remove ${info.name} …`}
            aria-expanded={asked}
            aria-controls={menu}
            onClick={() => setAsked(!asked)}
          >
            <span aria-hidden="true">⋯</span>
          </button>
        )}
      </div>
      {asked && (
        <div id={menu} className={styles.menu}>
          <button className="button" onClick={() => remove(false)}>
            Remove
          </button>
          <button className="button" onClick={() => remove(true)}>
            Ban for a minute
          </button>
        </div>
      )}
      {problem && (
        <p className={styles.problem} role="alert">
          {problem}
        </p>
      )}
    </li>
  );
}
