/**
 * What a back end needs of Roomful: tokens for its users, the route that hands them out, and the rooms themselves
 * over HTTP. Needs `fetch` and WebCrypto alone, so it runs in Node, Deno, Bun, Workers and edge functions.
 *
 * Never import it into code for the browser: whoever has the secret is everybody.
 *
 * @module roomful/server
 */
export { createAuthHandler } from "./server/handler.ts";
export { Roomful } from "./server/roomful.ts";
export { createToken } from "./server/token.ts";
export { RoomfulError } from "./error.ts";

export type { AuthHandlerOptions, AuthRequest, Grant } from "./server/handler.ts";
export type { BatchMessage, BatchResult, DisconnectOptions, MessageOptions, Published } from "./server/message.ts";
export type { RoomHistory, RoomPresence } from "./server/message.ts";
export type { RequestOptions, RoomfulOptions } from "./server/request.ts";
export type { TokenOptions } from "./server/token.ts";
export type { ErrorCode } from "./error.ts";
export type { HistoryOptions, Member, Message, RoomTypes } from "./types.ts";
export type { Occupancy, Right } from "./wire.ts";
