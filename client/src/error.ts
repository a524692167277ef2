// What goes wrong, as an application sees it.

/**
 * What kind of error it is. Those of the server are listed in docs/protocol.md (E1); the others are the client's:
 *
 * | code | what happened |
 * | --- | --- |
 * | `auth_failed` | no token could be had; not `retryable` if your server refuses one (400, 401, 403) |
 * | `bad_response` | the answer to an HTTP request is not Roomful's, but a proxy's page, say (`roomful/server`) |
 * | `connection_lost` | the connection broke, or the server did not answer in time |
 * | `invalid_argument` | a function of `roomful/server` was given what cannot be meant |
 * | `invalid_data` | data or a state does not fit its schema |
 * | `left` | the room was left before the answer came |
 * | `no_provider` | a hook was used without its provider (`roomful/react`) |
 * | `no_websocket` | this runtime has no WebSocket, or does not accept the address |
 * | `not_connected` | what is ephemeral cannot be sent at the moment |
 * | `outbox_full` | too many publishes wait for the connection |
 * | `timeout` | an HTTP request took too long (`roomful/server`) |
 * | `user_changed` | the token is another user's than the one who published |
 */
export type ErrorCode =
  | "auth_failed"
  | "bad_message"
  | "bad_messages"
  | "bad_response"
  | "banned"
  | "binary_frame"
  | "body_too_large"
  | "connection_lost"
  | "forbidden"
  | "forbidden_origin"
  | "internal"
  | "invalid_argument"
  | "invalid_data"
  | "invalid_room"
  | "invalid_token"
  | "left"
  | "message_too_large"
  | "method_not_allowed"
  | "no_provider"
  | "no_websocket"
  | "not_configured"
  | "not_connected"
  | "not_found"
  | "outbox_full"
  | "rate_limited"
  | "removed"
  | "replaced"
  | "restarting"
  | "room_busy"
  | "room_deleted"
  | "room_full"
  | "silent"
  | "state_too_large"
  | "storage_failed"
  | "storage_full"
  | "timeout"
  | "token_expired"
  | "too_slow"
  | "unauthorized"
  | "unknown_type"
  | "unsupported_protocol"
  | "user_changed"
  | "user_full"
  // A newer server may know more.
  | (string & {});

/** What is known about an error besides its code and text. */
export interface ErrorDetails {
  retryable?: boolean | undefined;
  hint?: string | undefined;
  retryAfter?: number | undefined;
  cause?: unknown;
}

/**
 * The only error that this package throws, rejects with or reports.
 *
 * ```ts
 * room.publish("chat", { text }).catch((error: RoomfulError) => {
 *   if (error.code === "message_too_large") show("That is too long.");
 *   else console.error(error.message, error.hint);
 * });
 * ```
 */
export class RoomfulError extends Error {
  /** What happened, for programs. */
  declare readonly code: ErrorCode;
  /** Whether the same thing, unchanged, may succeed later. */
  declare readonly retryable: boolean;
  /** What to do about it, for the developer. */
  declare readonly hint: string | undefined;
  /** Milliseconds after which another try may succeed, if the server said so. */
  declare readonly retryAfter: number | undefined;

  /** `message` says what happened, for the developer. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details);
    Object.assign(this, { name: "RoomfulError", code, retryable: false }, details);
  }
}
