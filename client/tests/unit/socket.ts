// A WebSocket whose other end is the test.
import assert from "node:assert/strict";
import type { ServerMessage, Welcome } from "../../src/wire.ts";
import { welcome } from "./frames.ts";

/** Does what a test says, and keeps what the client sent. */
export class FakeSocket {
  readonly url: URL;
  readonly protocols: string[];
  readonly at = Date.now();
  bufferedAmount: number | undefined = 0;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  /** What the client sent, as text. */
  readonly sent: string[] = [];
  /** With which code the client closed it. */
  closed: number | undefined;

  constructor(url: string, protocols: string[]) {
    this.url = new globalThis.URL(url);
    this.protocols = protocols;
  }

  send(text: string) {
    assert.equal(this.closed, undefined, "sent on a socket that is closed");
    this.sent.push(text);
  }

  close(code?: number) {
    this.closed ??= code ?? 1005;
  }

  /** What the client sent but for pings, as objects. */
  get messages(): any[] {
    return this.sent.filter((text) => text !== "ping").map((text) => JSON.parse(text));
  }

  get pings() {
    return this.sent.filter((text) => text === "ping").length;
  }

  /** The token it came with. */
  get token() {
    return this.protocols.find((protocol) => protocol.startsWith("roomful.token."))?.slice(14);
  }

  frame(text: string) {
    this.onmessage?.({ data: text });
  }

  /** A frame of one message or several. */
  tell(...messages: (ServerMessage | Record<string, unknown>)[]) {
    this.frame(JSON.stringify(messages.length === 1 ? messages[0] : messages));
    const greeting = messages.some(({ type }) => type === "welcome") ? this.sent.indexOf("ping") : -1;
    if (greeting < 0 || this.closed !== undefined) return;
    // The first ping comes upon the welcome. It is answered at once, and counts for nothing in the tests.
    this.sent.splice(greeting, 1);
    this.frame("pong");
  }

  welcome(parts: Partial<Welcome> = {}) {
    this.tell(welcome(parts));
  }

  ack(...ids: string[]) {
    this.tell(...ids.map((id) => ({ type: "ack", id })));
  }

  /** The connection ends from afar. */
  end(code = 1006, reason = "") {
    this.closed ??= code;
    this.onclose?.({ code, reason });
  }

  /** Refuses as a server does: with an error, and with a close code. */
  refuse(code: number, error: Record<string, unknown>) {
    const message = { type: "error", message: `It is ${error["code"]}.`, retryable: code < 4500, hint: "Do.", ...error };
    this.tell(message);
    this.end(code, error["code"] as string);
  }
}
