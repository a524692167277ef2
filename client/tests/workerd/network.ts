// A network between clients and a server that can be made as bad as networks are.
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** Where bytes go: up to the server, or down to the client. */
export type Direction = "up" | "down";

interface Link {
  readonly client: Socket;
  readonly server: Socket;
}

/** Whoever ends before a network may: a test, or `test` itself for all of a file. */
export interface Owner {
  after(work: () => unknown): void;
}

/** A loopback proxy for TCP. What is said of both directions holds from the next bytes on. */
export class Network {
  /** Milliseconds that every byte is under way. */
  latency = 0;
  /** How many bytes pass at once, and after how many milliseconds the next ones. */
  piece = Infinity;
  every = 0;
  /** The directions in which everything vanishes, without anybody being told. */
  readonly lost = new Set<Direction>();
  /** Whether new connections are reset. */
  refusing = false;
  /** How many connections there were, refused ones included. */
  connections = 0;
  /** How many bytes arrived for each direction. */
  readonly bytes = { up: 0, down: 0 };
  readonly #links = new Set<Link>();
  readonly #listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  readonly #target: { readonly url: string };

  constructor(target: { readonly url: string }) {
    this.#target = target;
  }

  async open(): Promise<void> {
    await new Promise<void>((listening) => this.#listener.listen(0, "127.0.0.1", listening));
  }

  close(): void {
    this.#listener.close();
    this.cut();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** How many connections there are. */
  get alive(): number {
    return this.#links.size;
  }

  /** Resets all connections. */
  cut(): void {
    for (const { client, server } of this.#links) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Tells both sides of all connections that nothing more comes, without a word in their own language. */
  halfClose(direction: Direction): void {
    for (const link of this.#links) link[direction === "up" ? "server" : "client"].end();
  }

  /** Takes nothing more from the clients that are connected, so that what they send piles up with them. */
  stall(): void {
    for (const { client } of this.#links) client.pause();
  }

  /** Takes again what they send. */
  flow(): void {
    for (const { client } of this.#links) client.resume();
  }

  #accept(client: Socket): void {
    this.connections++;
    client.on("error", () => {});
    if (this.refusing) return void client.resetAndDestroy();
    const server = connect({ port: Number(new URL(this.#target.url).port), host: "127.0.0.1", allowHalfOpen: true });
    const link = { client, server };
    this.#links.add(link);
    server.setNoDelay().on("error", () => client.resetAndDestroy());
    const gone = () => {
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    client.on("close", gone);
    server.on("close", gone);
    this.#pass("up", client, server);
    this.#pass("down", server, client);
  }

  #pass(direction: Direction, from: Socket, to: Socket): void {
    let before: Promise<void> = Promise.resolve();
    const inOrder = (work: () => void | Promise<void>) => {
      const due = performance.now() + this.latency;
      before = before.then(async () => {
        const wait = due - performance.now();
        if (wait > 0) await pause(wait);
        if (!to.destroyed) await work();
      });
    };
    from.on("data", (chunk: Buffer) => {
      this.bytes[direction] += chunk.length;
      if (this.lost.has(direction)) return;
      if (!this.latency && this.piece >= chunk.length) return inOrder(() => void to.write(chunk));
      inOrder(async () => {
        let due = performance.now();
        for (let start = 0; start < chunk.length && !to.destroyed; start += this.piece) {
          // A timer that comes late, on a busy machine, makes the network no slower.
          const wait = due - performance.now();
          if (start && wait > 0) await pause(wait);
          due += this.every;
          to.write(chunk.subarray(start, Math.min(start + this.piece, chunk.length)));
        }
      });
    });
    from.on("end", () => inOrder(() => void (this.lost.has(direction) || to.end())));
  }
}

/** A network in front of a server, until its owner ends. */
export async function startNetwork(owner: Owner, target: { readonly url: string }): Promise<Network> {
  const network = new Network(target);
  await network.open();
  owner.after(() => network.close());
  return network;
}
