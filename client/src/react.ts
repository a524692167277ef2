"use client";
/**
 * Roomful for React 18 and 19: providers and hooks. They may be rendered on the server, where nothing connects.
 *
 * ```ts
 * <RoomfulProvider url="https://realtime.example.com" authEndpoint="/api/roomful">
 *   <RoomProvider id="lobby">
 *     <Chat />
 *   </RoomProvider>
 * </RoomfulProvider>
 * ```
 *
 * @module roomful/react
 */
import { createRoomContext } from "./react/context.ts";

export { createRoomContext } from "./react/context.ts";
export type { Publish, RoomContext } from "./react/context.ts";
export type { ConnectionEvent } from "./react/hooks.ts";
export type { MessageLog } from "./react/log.ts";
export type { RoomProviderProps, RoomfulProviderProps } from "./react/provider.ts";

const context = /* @__PURE__ */ createRoomContext();

/**
 * Gives a client to every `RoomProvider` below it: one of your own as `client`, or one that is made with the options
 * of `createClient`, once. Later changes of the options have no effect.
 *
 * ```ts
 * <RoomfulProvider url="https://realtime.example.com" authEndpoint="/api/roomful">{children}</RoomfulProvider>
 * ```
 */
export const RoomfulProvider = context.RoomfulProvider;

/**
 * Enters a room for the components below it, and leaves it half a second after it is gone for good. However many
 * providers ask for the same room of a client, it has one connection.
 *
 * ```ts
 * <RoomProvider id={`doc:${id}`} initialState={{ cursor: null }} enabled={signedIn}>
 *   <Editor />
 * </RoomProvider>
 * ```
 */
export const RoomProvider = context.RoomProvider;

/**
 * The room itself, for what has no hook. It never makes the component render again.
 *
 * ```ts
 * const room = useRoom();
 * const retry = () => room.connect();
 * ```
 */
export const useRoom = context.useRoom;

/**
 * How the room's connection is.
 *
 * ```ts
 * const status = useStatus();
 * return status === "connected" ? null : <p>{status} …</p>;
 * ```
 */
export const useStatus = context.useStatus;

/**
 * The own connection; `null` until it is known.
 *
 * ```ts
 * const name = useSelf()?.user.info.name;
 * ```
 */
export const useSelf = context.useSelf;

/**
 * Everybody else who is here, or what a selector makes of them. The component renders again only when the outcome
 * changed; `isEqual` decides, and is `shallow` unless given.
 *
 * ```ts
 * const typing = useOthers((others) => others.filter(({ state }) => state?.typing).map(({ user }) => user.id));
 * ```
 */
export const useOthers = context.useOthers;

/**
 * One of the others by connection, or what a selector makes of them; `null` once they left. A list of connections
 * and a component for each of them render only what changed.
 *
 * ```ts
 * const connections = useOthers((others) => others.map(({ connection }) => connection));
 * // In a component for each connection:
 * const cursor = useOther(connection, ({ state }) => state?.cursor);
 * ```
 */
export const useOther = context.useOther;

/**
 * Everybody who is here, oneself included, as people: who has two tabs is there once.
 *
 * ```ts
 * const names = useUsers().map(({ info }) => info.name);
 * ```
 */
export const useUsers = context.useUsers;

/**
 * What this connection shows to the others, and a stable function that changes some keys of it; `null` takes one away.
 *
 * ```ts
 * const [state, update] = useMyState();
 * return <input onFocus={() => update({ typing: true })} onBlur={() => update({ typing: null })} />;
 * ```
 */
export const useMyState = context.useMyState;

/**
 * A stable function that publishes one event, or, without a name, any. The options count for each of its messages.
 *
 * ```ts
 * const say = usePublish("chat");
 * const point = usePublish("cursor", { ephemeral: true });
 * return <form action={() => say({ text })} onPointerMove={({ clientX: x }) => point({ x })} />;
 * ```
 */
export const usePublish = context.usePublish;

/**
 * Calls a handler with each message of an event, ephemeral ones included: always the one that was rendered last.
 *
 * ```ts
 * useEvent("chat", ({ text }, { user }) => toast(`${user}: ${text}`));
 * ```
 */
export const useEvent = context.useEvent;

/**
 * The stored messages of an event, of several or of all: history and what comes as one list, ordered, without gaps
 * and without doubles, also after the connection was lost. If more was missed than the room sends again, the list
 * begins anew with the newest page. `limit` (100) is how many messages are fetched at a time. Once there are `max`
 * (1,000), each message that comes takes the oldest off the list, and `loadMore` has it again; what `loadMore` adds is
 * not cut off.
 *
 * ```ts
 * const { messages, more, loadMore } = useMessages("chat", { limit: 30 });
 * return (
 *   <ol>
 *     {more && <button onClick={loadMore}>Older</button>}
 *     {messages.map(({ offset, user, data }) => <li key={offset}>{user}: {data.text}</li>)}
 *   </ol>
 * );
 * ```
 */
export const useMessages = context.useMessages;

/**
 * Tells when the connection is lost, for a banner: `lost` after 5 seconds without one (`after`, in milliseconds),
 * then `restored`, or `missed` if messages were missed meanwhile, even if `lost` had not been told; `failed` when it
 * does not come back by itself, and `room.error` says why.
 *
 * ```ts
 * useLostConnection((event) => setBanner(event === "lost" || event === "failed" ? event : null));
 * ```
 */
export const useLostConnection = context.useLostConnection;
