// The runtime's own WebSocket, observed and held up.
import type { WebSocketConstructor } from "../../src/index.ts";

/** A class of WebSockets that remembers all of its sockets. */
export interface Sockets {
  readonly Class: WebSocketConstructor;
  readonly all: WebSocket[];
  /** All frames that came, whether they are handed on or not. */
  readonly came: string[];
  /** All that was sent. */
  readonly sent: string[];
  /** Which frames wait instead of being handed on, and all behind them. */
  holds: (frame: string) => boolean;
  /** Which frames are not handed on at all. */
  loses: (frame: string) => boolean;
  /** Hands on what waits. */
  release(): void;
}

/** Each test has its own. */
export function watchSockets(): Sockets {
  let waiting: (() => void)[] = [];
  const sockets: Sockets = {
    all: [],
    came: [],
    sent: [],
    holds: () => false,
    loses: () => false,
    release() {
      sockets.holds = () => false;
      const due = waiting;
      waiting = [];
      for (const pass of due) pass();
    },
    Class: class extends WebSocket {
      #taker: ((event: MessageEvent) => void) | null = null;

      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.all.push(this);
        super.onmessage = (event: MessageEvent) => {
          const pass = () => this.#taker?.(event);
          sockets.came.push(event.data);
          if (sockets.loses(event.data)) return;
          if (waiting.length || sockets.holds(event.data)) waiting.push(pass);
          else pass();
        };
      }

      override set onmessage(taker: ((event: MessageEvent) => void) | null) {
        this.#taker = taker;
      }

      override get onmessage() {
        return this.#taker;
      }

      override send(text: string): void {
        sockets.sent.push(text);
        super.send(text);
      }
    } as unknown as WebSocketConstructor,
  };
  return sockets;
}
