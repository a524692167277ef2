// One request to the Worker, made again where that cannot do anything twice.
import { RoomfulError } from "../error.ts";
import type { WireError } from "../wire.ts";
import { check, isRoom, json } from "./argument.ts";
import { createToken } from "./token.ts";
import type { TokenOptions } from "./token.ts";

/** What can be said about every request. */
export interface RequestOptions {
  /**
   * Gives the request up: it rejects with the signal's reason, at once, or, between two tries, when the next would
   * begin.
   */
  signal?: AbortSignal | undefined;
}

/** How to reach the rooms, and as whom. What is sent is a token for the one request, not the `secret`. */
export interface RoomfulOptions extends Pick<TokenOptions, "secret" | "issuer" | "audience"> {
  /** The Worker's address, such as `https://realtime.example.com`. */
  url: string | URL;
  /** Who publishes, as the others see it. Default: `server`. */
  user?: string | undefined;
  /** After how many milliseconds a try is given up. Default: 10,000. */
  timeout?: number | undefined;
  /**
   * How often a request that failed is made again, where that cannot do anything twice. It waits as long as the server
   * asks for, but gives up if that is more than `timeout`, and then a random time below a bound that begins at half a
   * second and doubles up to `timeout`. Default: 2.
   */
  retries?: number | undefined;
  /** Replaces the global `fetch`: `(url, init) => env.ROOMS.fetch(url, init)` for a service binding, say. */
  fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined;
}

/** Beside the options, the fields of the body that a POST sends. */
type Content = RequestOptions | (RequestOptions & Record<string, unknown>);

/**
 * The JSON that a room answers, or, without one, the path for many of them. What could do something twice is
 * tried `once`.
 *
 * Each try has a token of its own, for the room that it takes and for a minute: whoever gets hold of it has little. To
 * make one costs less than to see to it that a kept one still holds.
 */
export async function request(
  { url, user = "server", timeout = 10_000, retries = 2, fetch: send = fetch, ...signing }: RoomfulOptions,
  room: string | null,
  path: string,
  { signal, ...content }: Content = {},
  method: "GET" | "POST" | "DELETE" = "GET",
  once?: unknown,
) {
  const base = `${url}`.replace(/^ws/, "http").replace(/\/*$/, "");
  check(/^http/.test(base), "Invalid `url`");
  check(room === null || isRoom(room), "Invalid `room`", "invalid_room");
  // What is undefined is left out.
  const text = JSON.stringify(content);
  const address =
    base +
    (room ? `/room/${room}` : "") +
    path +
    (method === "GET" ? `?${new URLSearchParams(JSON.parse(text))}` : "");
  for (let tries = 0; ; ) {
    signal?.throwIfAborted();
    const authorization = `Bearer ${await createToken({
      ...signing,
      user,
      room: room ?? "*",
      // Lesser rights have a rate (N6), which is meant for people.
      can: ["admin"],
      expiresIn: 60,
    })}`;
    const late = AbortSignal.timeout(timeout);
    let failure: Failure;
    try {
      const response = await send(address, {
        method,
        headers: { authorization, "content-type": "application/json" },
        body: method === "POST" ? text : null,
        signal: signal ? AbortSignal.any([signal, late]) : late,
        // A token must not travel on; "error" is unknown to Workers.
        redirect: "manual",
        // Next.js may keep answers unless told not to; `cache` is unknown to some Workers.
        next: { revalidate: 0 },
      } as RequestInit);
      // As text first: a body that breaks off is no answer, but one that is no JSON is, of a proxy, say.
      const answer = await json(new Response(await response.text()));
      const { status } = response;
      if (response.ok && answer) return answer;
      failure = {
        code: "bad_response",
        message: `HTTP ${status}`,
        retryable: status >= 500 || status === 429,
        retry_after: +response.headers.get("retry-after")! * 1_000 || undefined,
        hint: "Is `url` Roomful's?",
        ...answer?.error,
      };
    } catch (cause) {
      signal?.throwIfAborted();
      failure = { code: late.aborted ? "timeout" : "connection_lost", message: `${cause}`, cause, retryable: true };
    }
    const { retry_after: least = 0 } = failure;
    if (!failure.retryable || once || tries++ >= retries || least > timeout) throw errorOf(failure);
    // The first bound is 500.
    await new Promise((resolve) => setTimeout(resolve, least + Math.random() * Math.min(250 * 2 ** tries, timeout)));
  }
}

/** An error as the Worker words it (E1), or as if it had. */
type Failure = Omit<WireError, "type"> & { cause?: unknown };

/** The error that an application gets. */
export const errorOf = (failure: Failure): RoomfulError =>
  new RoomfulError(failure.code, failure.message, { ...failure, retryAfter: failure.retry_after });
