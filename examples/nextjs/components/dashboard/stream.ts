// A room as an event stream: one way, over plain HTTP, without the package.
//
// The token of the address lasts a minute. When it ends, so does the stream, and there is another one with a fresh
// token. EventSource would come back by itself, but with the old address; so this does it.

/** What comes as `data:`, as far as the dashboard looks at it (docs/protocol.md, H7). */
export type StreamEvent =
  | { readonly type: "welcome"; readonly epoch: string; readonly offset: number; readonly occupancy: { readonly users: number } }
  | { readonly type: "message"; readonly event: string; readonly user: string; readonly offset?: number }
  | { readonly type: "error"; readonly code: string };

export type StreamStatus = "connecting" | "live" | "refused";

export interface StreamListener {
  received(event: StreamEvent): void;
  turned(status: StreamStatus): void;
}

const FIRST_RETRY = 500;
const LAST_RETRY = 30_000;

/** With these, coming back would not help. */
const FINAL = ["banned", "removed", "forbidden", "forbidden_origin"];

/** Follows a room until the function that it gives is called. */
export function follow(url: string, id: string, fetchToken: () => Promise<string>, listener: StreamListener): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempts = 0;
  let isOver = false;

  async function open(): Promise<void> {
    try {
      const token = await fetchToken();
      if (isOver) return;
      source = new EventSource(`${url}/room/${encodeURIComponent(id)}?token=${token}`);
      source.onmessage = ({ data }: MessageEvent<string>) => take(JSON.parse(data));
      source.onerror = again;
    } catch {
      if (!isOver) again();
    }
  }

  function take(event: StreamEvent): void {
    if (event.type === "welcome") {
      attempts = 0;
      listener.turned("live");
    }
    listener.received(event);
    if (event.type === "error" && FINAL.includes(event.code)) {
      stop();
      listener.turned("refused");
    }
  }

  function again(): void {
    source?.close();
    listener.turned("connecting");
    // At once after a stream that had worked: its token ended. Then slower and slower, and not all at the same time.
    const pause = attempts === 0 ? 0 : Math.random() * Math.min(LAST_RETRY, FIRST_RETRY * 2 ** attempts);
    attempts += 1;
    timer = setTimeout(open, pause);
  }

  function stop(): void {
    isOver = true;
    clearTimeout(timer);
    source?.close();
  }

  listener.turned("connecting");
  void open();
  return stop;
}
