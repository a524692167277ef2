// Who gives a room to the components below.
import { createContext, createElement, useContext, useEffect, useMemo } from "./react.ts";
import type { Context, ReactElement, ReactNode } from "react";
import { createClient } from "../client.ts";
import type { Client } from "../client.ts";
import { RoomfulError } from "../error.ts";
import type { ClientOptions, Room, RoomTypes, StateOf } from "../types.ts";

/** How long a room is kept after its provider went, in milliseconds: StrictMode and routers bring it back at once. */
const LINGER = 500;

/** What hooks look at. */
const TOPICS = ["status", "members", "state"] as const;

/** What `RoomfulProvider` takes: a client, or the options to make one with. */
export type RoomfulProviderProps<T extends RoomTypes = RoomTypes> = { readonly children?: ReactNode } & (
  | { readonly client: Client<T> }
  | (ClientOptions<T> & { readonly client?: undefined })
);

/** What `RoomProvider` takes. */
export interface RoomProviderProps<T extends RoomTypes = RoomTypes> {
  /** The room's name. Another one leaves the room, and enters that. */
  readonly id: string;
  /** The presence state to come with. Later changes of it have no effect. */
  readonly initialState?: StateOf<T> | null | undefined;
  /** How many messages from before the handlers of `useEvent` get first. Later changes of it have no effect. */
  readonly history?: number | undefined;
  /** `false` stays outside: the hooks then tell what they tell on the server. */
  readonly enabled?: boolean | undefined;
  readonly children?: ReactNode;
}

/** A provider's place in its room: what the hooks below it work with. */
export interface Seat {
  readonly room: Room;
  readonly enabled: boolean;
  readonly initialState: unknown;
  /** Takes the place in the room. Returns what leaves it. */
  enter(): () => void;
  /** Calls the listener whenever something may have changed. Returns what ends that. */
  subscribe(listener: () => void): () => void;
}

/** One for all, so that a single `RoomfulProvider` serves every `createRoomContext`. */
const ClientContext = createContext<Client | null>(null);

/** Gives a client to every `RoomProvider` below it. */
export function RoomfulProvider(props: RoomfulProviderProps): ReactElement {
  const { client, children } = props;
  const value = useMemo(() => client ?? createClient(props as ClientOptions), [client]);
  return createElement(ClientContext.Provider, { value }, children);
}

/** A `RoomProvider`, and what finds the seat it gives. */
export function createSeats() {
  const SeatContext = createContext<Seat | null>(null);

  function RoomProvider({ id, initialState = null, history, enabled = true, children }: RoomProviderProps) {
    const client = need(ClientContext, "RoomfulProvider");
    // Rendering connects nothing: what is rendered may never be shown.
    const seat = useMemo(
      () => createSeat(client.room(id, { state: initialState, history, enabled: false }), initialState),
      [client, id],
    );
    const value = useMemo(() => ({ ...seat, enabled }), [seat, enabled]);
    // Effects run in the order of the tree: those of the children find the room connecting.
    return createElement(SeatContext.Provider, { value }, createElement(Entrance, value), children);
  }

  return [RoomProvider, () => need(SeatContext, "RoomProvider")] as const;
}

function createSeat(room: Room, initialState: unknown) {
  let leaving: ReturnType<typeof setTimeout>;
  return {
    room,
    initialState,
    enter() {
      clearTimeout(leaving);
      room.connect();
      return () => {
        leaving = setTimeout(room.leave, LINGER);
      };
    },
    subscribe: (listener: () => void) => together(TOPICS.map((topic) => room.watch(topic, listener))),
  };
}

function Entrance({ enabled, enter }: Seat) {
  useEffect(() => (enabled ? enter() : undefined), [enabled, enter]);
  return null;
}

/** Ends several things as one. */
export const together = (ends: readonly (() => void)[]) => () => ends.forEach((end) => end());

function need<V>(context: Context<V | null>, name: string): V {
  const value = useContext(context);
  if (value) return value;
  throw new RoomfulError("no_provider", `No ${name} above.`);
}
