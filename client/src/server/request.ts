// One request to the Worker, made again where that cannot do anything twice.
import { RoomfulError } from "../error.ts";
import type { WireError } from "../wire.ts";

/** What can be said about every request. */
export interface RequestOptions {
  /** Gives the request up; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** How requests are made. */
export interface RequestSettings {
  /** After how many milliseconds a try is given up. Default: 10,000. */
  timeout?: number | undefined;
  /**
   * How often a request that failed is made again, where that cannot do anything twice. Waits a random time below a
   * bound that begins at half a second and doubles, and as long as the server asks for, but never above `timeout`
   * for either. Default: 2.
   */
  retries?: number | undefined;
  /** Replaces the global `fetch`: a service binding's, say. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

/** A request: what `fetch` takes, and more. */
export interface Call extends Omit<RequestInit, "signal">, RequestOptions {
  url: string;
  /** Whether making it twice does what making it once does. */
  idempotent: boolean;
}

/** An error as the Worker words it (E1), or as if it had. */
type Failure = Omit<WireError, "type"> & { cause?: unknown };

/** The JSON that is answered. */
export async function request(
  { url, idempotent, signal, ...init }: Call,
  { timeout = 10_000, retries = 2, fetch = globalThis.fetch }: RequestSettings,
) {
  for (let left = idempotent ? retries : 0, bound = 500; ; left--, bound *= 2) {
    signal?.throwIfAborted();
    const controller = new AbortController();
    let callOff = alarm(timeout, signal, () => controller.abort());
    let failure: Failure;
    try {
      const response = await fetch(url, { ...init, signal: controller.signal });
      const answer = parse(await response.text());
      if (response.ok && answer) return answer;
      const { status, headers } = response;
      failure = {
        code: "bad_response",
        message: `HTTP ${status}, not from Roomful`,
        hint: "Check `url`.",
        retryable: status >= 500 || status === 429,
        retry_after: Number(headers.get("retry-after")) * 1_000 || 0,
        ...answer?.error,
      };
    } catch (cause) {
      signal?.throwIfAborted();
      const code = controller.signal.aborted ? "timeout" : "connection_lost";
      failure = { code, message: `No answer: ${cause}`, retryable: true, cause };
    } finally {
      callOff();
    }
    const { retryable, retry_after: least = 0 } = failure;
    if (!retryable || left <= 0 || least > timeout) throw errorOf(failure);
    await new Promise<void>((resolve) => {
      callOff = alarm(least + Math.random() * Math.min(bound, timeout), signal, resolve);
    });
    callOff();
  }
}

/** Calls `ring` after some milliseconds, or when the signal aborts; returns what calls that off. */
function alarm(milliseconds: number, signal: AbortSignal | undefined, ring: () => void): () => void {
  const timer = setTimeout(ring, milliseconds);
  signal?.addEventListener("abort", ring);
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", ring);
  };
}

/** `undefined` for what is no JSON: a proxy's page, say. */
function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {}
}

/** The error that an application gets. */
export const errorOf = (failure: Failure): RoomfulError =>
  new RoomfulError(failure.code, failure.message, { ...failure, retryAfter: failure.retry_after || undefined });
