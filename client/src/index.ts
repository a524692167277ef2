/**
 * Realtime rooms for web apps: publish and subscribe, presence, history, and connections that come back without
 * losing or doubling a message.
 *
 * @module
 */
export { createClient } from "./client.ts";
export type { Client } from "./client.ts";
export { RoomfulError } from "./error.ts";
export type { ErrorCode, ErrorDetails } from "./error.ts";
export type { SchemaResult, StandardSchema } from "./schema.ts";
export type {
  Ack,
  ClientOptions,
  EventName,
  EventsOf,
  Gap,
  HistoryOptions,
  HistoryPage,
  InfoOf,
  Member,
  Message,
  MessageOf,
  Patch,
  Presence,
  PublishOptions,
  Room,
  RoomOptions,
  RoomTypes,
  Schemas,
  StateOf,
  Status,
  TokenSource,
  Topics,
  User,
  WebSocketConstructor,
  WebSocketLike,
} from "./types.ts";
export type { Occupancy, Right } from "./wire.ts";
