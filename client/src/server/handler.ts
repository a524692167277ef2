// The route that gives an application's users their tokens.
import type { RoomTypes } from "../types.ts";
import { isRoom, json } from "./argument.ts";
import { createToken } from "./token.ts";
import type { TokenOptions } from "./token.ts";

/** Who asks for a token, and for which room. */
export interface AuthRequest {
  /** As it came: its cookies and headers tell who asks. Its body has been read. */
  request: Request;
  /** The room that is asked for, a valid name. Whether this user may enter it is yours to decide. */
  room: string;
}

/** What a user gets: `user`, and whatever differs from the defaults. `room` is the asked one unless it is given. */
export type Grant<T extends RoomTypes = RoomTypes> = Pick<TokenOptions<T>, "user" | "info" | "can" | "expiresIn"> &
  Partial<Pick<TokenOptions<T>, "room">>;

/** How tokens are given. */
export interface AuthHandlerOptions<T extends RoomTypes = RoomTypes>
  extends Pick<TokenOptions<T>, "secret" | "expiresIn" | "issuer" | "audience"> {
  /**
   * Says what a user may do in a room; `null` refuses with 403. A `Response` that it returns or throws is the answer.
   * Anything else that it throws is a 500 that tells the client nothing.
   */
  authorize: (
    asked: AuthRequest,
  ) => Grant<T> | Response | null | undefined | Promise<Grant<T> | Response | null | undefined>;
  /** Is told of what `authorize` threw, and of grants that are no token. Default: `console.error`. */
  onError?: ((error: unknown) => void) | undefined;
}

/**
 * Makes the route to which clients send `POST {"room":"lobby"}`, and which answers `{"token":"…"}`. Nothing is checked
 * before the first request, so that a build without the secret in its environment passes.
 *
 * ```ts
 * // app/api/roomful/route.ts
 * export const POST = createAuthHandler({
 *   secret: process.env.ROOMFUL_SECRET!,
 *   authorize: async ({ room }) => {
 *     const session = await auth();
 *     if (!session || !(await mayEnter(session.user, room))) return null;
 *     return { user: session.user.id, info: { name: session.user.name } };
 *   },
 * });
 * ```
 *
 * Cookies come with requests that other sites make, too. Therefore it takes `Content-Type: application/json` alone,
 * which a browser sends to another origin only after asking there (CORS preflight). So do not allow foreign origins
 * on this route, unless you mean them.
 */
export function createAuthHandler<T extends RoomTypes = RoomTypes>(
  options: AuthHandlerOptions<T>,
): (request: Request) => Promise<Response> {
  const { authorize, onError = console.error, ...signing } = options;
  return async (request) => {
    if (request.method !== "POST") return refuse(405, "method_not_allowed", "Use POST");
    const isJson = /^application\/json\b/i.test(request.headers.get("content-type")!);
    const room: unknown = isJson && (await json(request))?.room;
    // Never a wildcard: `authorize` is asked about one room.
    if (!isRoom(room)) return refuse(400, "bad_message", "Invalid `room`, or not application/json");
    try {
      const grant = await authorize({ request, room });
      if (grant instanceof Response) return grant;
      if (!grant) return refuse(403, "forbidden", "`authorize` refused");
      const token = await createToken<T>({
        ...grant,
        ...signing,
        room: grant.room ?? room,
        expiresIn: grant.expiresIn ?? signing.expiresIn,
      });
      return answer({ token }, 200);
    } catch (error) {
      if (error instanceof Response) return error;
      onError(error);
      return refuse(500, "internal", "See the log");
    }
  };
}

const answer = (body: object, status: number) =>
  Response.json(body, { status, headers: { "cache-control": "no-store", allow: "POST" } });

/** An error as the Worker's own are (E1). */
const refuse = (status: number, code: string, message: string) =>
  answer({ error: { code, message, retryable: status === 500 } }, status);
