// How a component follows a room.
import { useRef, useSyncExternalStore } from "./react.ts";
import type { Room } from "../types.ts";
import type { Seat } from "./provider.ts";
import { shallow } from "./shallow.ts";

/** Makes of what is in a room what a component needs of it. */
export type Selector = (source: any) => unknown;
export type IsEqual = (a: any, b: any) => boolean;

/** Everything there is. */
export const same: Selector = (source) => source;

/** What is known of a room from outside: on the server, while hydrating, and where a provider is not enabled. */
const OUTSIDE = {
  status: "initial",
  self: null,
  members: [],
  users: [],
} satisfies Partial<Room>;

/**
 * What `selector` makes of a part of the room. The component renders again only if the outcome is not equal to the
 * one before.
 */
export function useStore(
  { room, enabled, subscribe }: Seat,
  part: keyof typeof OUTSIDE,
  selector = same,
  isEqual: IsEqual = shallow,
): any {
  const last = useRef<unknown[]>([]);
  // React asks often, and wants the same object for as long as nothing changed.
  const select = (source: unknown) => {
    const [oldSource, oldSelector, old] = last.current;
    if (oldSource === source && oldSelector === selector) return old;
    const next = selector(source);
    const value = oldSelector && isEqual(old, next) ? old : next;
    last.current = [source, selector, value];
    return value;
  };
  const outside = () => select(OUTSIDE[part]);
  return useSyncExternalStore(subscribe, enabled ? () => select(room[part]) : outside, outside);
}
