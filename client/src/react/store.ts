// How a component follows a room.
import { useRef, useSyncExternalStore } from "react";
import type { Room } from "../types.ts";
import type { Seat } from "./provider.ts";
import { shallow } from "./shallow.ts";

/** Makes of what is in a room what a component needs of it. */
export type Selector = (source: any) => unknown;
export type IsEqual = (a: any, b: any) => boolean;

/**
 * What `read` finds in the room and `selector` makes of it. Outside of the room, on the server and while hydrating,
 * `initial` takes the place of what is found. The component renders again only if the outcome is not equal to the
 * one before.
 */
export function useStore(
  { room, enabled, subscribe }: Seat,
  read: (room: Room) => unknown,
  initial: unknown,
  selector: Selector = (source) => source,
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
  const outside = () => select(initial);
  return useSyncExternalStore(subscribe, enabled ? () => select(read(room)) : outside, outside);
}
