"use client";
import Link from "next/link";
import { useEffect, useState } from "react";
import { ROOMS, roomId } from "@/realtime/rooms";
import { Activity } from "./activity";
import { Chart } from "./chart";
import styles from "./dashboard.module.css";
import { follow } from "./stream";
import type { StreamStatus } from "./stream";

const WORDS = { connecting: "Connecting", live: "Live", refused: "Not allowed to listen" };

/** A room's activity, from server-sent events alone. */
export function Dashboard({ url, room }: { url: string; room: string }) {
  const [activity] = useState(() => new Activity());
  const [status, setStatus] = useState<StreamStatus>("connecting");
  const [numbers, setNumbers] = useState({ rate: 0, voices: 0, people: 0, total: 0 });

  useEffect(() => {
    const update = () => {
      const now = Date.now();
      const lately = activity.messages(now).slice(-11, -1);
      setNumbers({
        rate: lately.reduce((sum, count) => sum + count, 0) / lately.length,
        voices: activity.voices(now),
        people: activity.people,
        total: activity.total,
      });
    };
    const timer = setInterval(update, 1_000);
    const stop = follow(url, roomId(room), () => fetchToken(room), {
      received(event) {
        activity.take(event, Date.now());
        update();
      },
      turned: setStatus,
    });
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [activity, url, room]);

  const { rate, voices, people, total } = numbers;
  return (
    <main className={styles.page}>
      <div className={styles.top}>
        <div>
          <h1>Activity</h1>
          <p className={styles.status} data-status={status} data-testid="stream" role="status">
            {WORDS[status]}
          </p>
        </div>
        <nav className={styles.rooms} aria-label="Room">
          {[...new Set([...ROOMS.map(({ name }) => name), room])].map((name) => (
            <Link key={name} href={`/dashboard?room=${name}`} aria-current={name === room ? "true" : undefined} replace>
              {name}
            </Link>
          ))}
        </nav>
      </div>
      <dl className={styles.numbers}>
        <Fact label="messages/second" note="over 10 seconds" value={rate.toFixed(1)} id="rate" mark="bars" />
        <Fact label="people talking" note="in the last minute" value={voices} id="voices" mark="line" />
        <Fact label="people in the room" note="counted once a minute" value={status === "connecting" && !people ? "–" : people} id="people" />
        <Fact label="messages" note="since you came" value={total} id="total" />
      </dl>
      <figure className={styles.figure}>
        <Chart
          activity={activity}
          summary={`The last minute in ${room}: ${rate.toFixed(1)} messages a second, ${voices} people talking.`}
        />
        {total === 0 && status === "live" && (
          <figcaption className={styles.empty}>
            Nothing was said since you came. <Link href={`/room/${room}`}>Say something in {room}</Link>
          </figcaption>
        )}
      </figure>
    </main>
  );
}

interface FactProps {
  label: string;
  note: string;
  value: number | string;
  id: string;
  mark?: "bars" | "line";
}

function Fact({ label, note, value, id, mark }: FactProps) {
  return (
    <div>
      <dt data-mark={mark}>{label}</dt>
      <dd data-testid={id}>{value}</dd>
      <dd>{note}</dd>
    </div>
  );
}

async function fetchToken(room: string): Promise<string> {
  const response = await fetch("/api/stream", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ room }),
  });
  if (!response.ok) throw new Error(`no token: ${response.status}`);
  const { token }: { token: string } = await response.json();
  return token;
}
