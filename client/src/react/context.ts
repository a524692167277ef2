// The providers and hooks as one piece, typed by what an application says of its rooms.
import type { ReactElement } from "react";
import type { Ack, EventName, EventsOf, Member, Message, Patch, PublishOptions } from "../types.ts";
import type { Room, RoomTypes, StateOf, Status, User } from "../types.ts";
import { createHooks } from "./hooks.ts";
import type { ConnectionEvent } from "./hooks.ts";
import type { MessageLog } from "./log.ts";
import { RoomfulProvider, createSeats } from "./provider.ts";
import type { RoomProviderProps, RoomfulProviderProps } from "./provider.ts";

type Equality<R> = (before: R, after: R) => boolean;

/** What publishes one event. It stays the same function for as long as the room is the same. */
export type Publish<T extends RoomTypes, E extends EventName<T>> = (
  data: EventsOf<T>[E],
  options?: PublishOptions,
) => Promise<Ack>;

/** Providers and hooks that belong together: a hook finds the room of the nearest `RoomProvider` of its own context. */
export interface RoomContext<T extends RoomTypes = RoomTypes> {
  /** Gives a client to every `RoomProvider` below it. */
  RoomfulProvider(props: RoomfulProviderProps<T>): ReactElement;
  /** Enters a room, for the components below it. */
  RoomProvider(props: RoomProviderProps<T>): ReactElement;
  /** The room itself, for what has no hook. */
  useRoom(): Room<T>;
  /** How the room's connection is. */
  useStatus(): Status;
  /** The own connection; `null` until it is known. */
  useSelf(): Member<T> | null;
  /** Everybody else who is here, or what a selector makes of them. */
  useOthers(): readonly Member<T>[];
  useOthers<R>(selector: (others: readonly Member<T>[]) => R, isEqual?: Equality<R>): R;
  /** One of the others, or what a selector makes of them; `null` once they left. */
  useOther(connection: string): Member<T> | null;
  useOther<R>(connection: string, selector: (other: Member<T>) => R, isEqual?: Equality<R | null>): R | null;
  /** Everybody who is here, oneself included, as people rather than connections. */
  useUsers(): readonly User<T>[];
  /** What this connection shows to the others, and what changes some keys of it. */
  useMyState(): readonly [state: StateOf<T> | null, update: (patch: Patch<StateOf<T>>) => void];
  /** What publishes any event, or one; the options count for each of its messages. */
  usePublish(): Room<T>["publish"];
  usePublish<E extends EventName<T>>(event: E, options?: PublishOptions): Publish<T, E>;
  /** Calls the handler that was rendered last with each message of an event. */
  useEvent<E extends EventName<T>>(
    event: E,
    handler: (data: EventsOf<T>[E], message: Message<T, E>) => void,
  ): void;
  /** The stored messages of some events, or of all: history, `limit` at a time, and what comes, of which `max` stay. */
  useMessages<E extends EventName<T> = EventName<T>>(
    events?: E | readonly E[],
    options?: { readonly limit?: number; readonly max?: number },
  ): MessageLog<T, E>;
  /** Calls back when there was no connection for `after` milliseconds (5,000), and when there is one again. */
  useLostConnection(callback: (event: ConnectionEvent) => void, options?: { readonly after?: number }): void;
}

/**
 * Makes providers and hooks of your own, which know your types. One `RoomfulProvider`, of whichever context, serves them
 * all. Rooms of different contexts can be nested: each hook finds its own.
 *
 * Call it in a module that begins with `"use client"`.
 *
 * ```ts
 * type Types = { state: { typing: boolean }; events: { chat: { text: string } } };
 * export const { RoomProvider, useOthers, usePublish } = createRoomContext<Types>();
 *
 * const typing = useOthers((others) => others.filter(({ state }) => state?.typing).length);
 * const say = usePublish("chat");
 * await say({ text: "hello" });
 * ```
 */
export function createRoomContext<T extends RoomTypes = RoomTypes>(): RoomContext<T> {
  const [RoomProvider, useSeat] = createSeats();
  return { RoomfulProvider, RoomProvider, ...createHooks(useSeat) } as unknown as RoomContext<T>;
}
