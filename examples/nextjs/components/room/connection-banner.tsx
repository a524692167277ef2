"use client";
import { useEffect, useState } from "react";
import { useLostConnection, useRoom } from "@/realtime/context";
import styles from "./connection-banner.module.css";

/** Shorter losses, such as a deploy of the Worker, disturb nobody. */
const PATIENCE_MS = 3_000;
const GOOD_NEWS_MS = 4_000;

type News = "lost" | "restored" | "missed";

/** Says what became of the connection. It lies over the messages, so that nothing moves when it comes. */
export function ConnectionBanner() {
  const room = useRoom();
  const [news, setNews] = useState<News | null>(null);
  useLostConnection((event) => setNews(event === "failed" ? null : event), { after: PATIENCE_MS });

  useEffect(() => {
    if (news !== "restored") return;
    const timer = setTimeout(() => setNews(null), GOOD_NEWS_MS);
    return () => clearTimeout(timer);
  }, [news]);

  return (
    <div className={styles.place} role="status" data-testid="banner" data-news={news ?? ""}>
      {news === "lost" && (
        <p className={styles.banner}>
          <span>The connection is lost. What you write is kept, and sent when it is back.</span>
          <button className="button" onClick={() => room.connect()}>
            Try now
          </button>
        </p>
      )}
      {news === "restored" && (
        <p className={styles.banner}>
          <span>Connected again. Nothing was missed.</span>
        </p>
      )}
      {news === "missed" && (
        <p className={styles.banner}>
          <span>Connected again after a long time. Here is the newest; for what you missed, scroll up.</span>
          <button className="button" onClick={() => setNews(null)}>
            Got it
          </button>
        </p>
      )}
    </div>
  );
}
