// The hooks.
import { useEffect, useMemo, useRef, useSyncExternalStore } from "./react.ts";
import type { Member, Message, PublishOptions, Room, Status } from "../types.ts";
import { createLog } from "./log.ts";
import { together } from "./provider.ts";
import type { Seat } from "./provider.ts";
import { same, useStore } from "./store.ts";
import type { IsEqual } from "./store.ts";

/** What `useLostConnection` tells of. */
export type ConnectionEvent = "lost" | "restored" | "missed" | "failed";

/** The hooks that work with the seat that `useSeat` finds. Their types are those of `RoomContext`. */
export function createHooks(useSeat: () => Seat) {
  function useOthers(selector = same, isEqual?: IsEqual) {
    const seat = useSeat();
    const select = (members: Member[]) =>
      selector(members.filter(({ connection }) => connection !== seat.room.self?.connection));
    return useStore(seat, "members", select, isEqual);
  }

  /** Does something for as long as the component is in the room. */
  function useInside(begin: (room: Room) => () => void, reason: unknown): void {
    const { room, enabled } = useSeat();
    useEffect(() => (enabled ? begin(room) : undefined), [room, enabled, reason]);
  }

  return {
    useRoom: () => useSeat().room,
    useStatus: () => useStore(useSeat(), "status"),
    useSelf: () => useStore(useSeat(), "self"),
    useOthers,
    useOther: (id: string, selector = same, isEqual?: IsEqual) =>
      useOthers((others: Member[]) => {
        const other = others.find(({ connection }) => connection === id);
        return other ? selector(other) : null;
      }, isEqual),
    useUsers: () => useStore(useSeat(), "users"),

    useMyState() {
      const { room, enabled, initialState, subscribe } = useSeat();
      // What it will be is known before there is a room.
      const outside = () => initialState;
      const inside = () => (enabled && room.status !== "initial" ? room.presence.state : initialState);
      return [useSyncExternalStore(subscribe, inside, outside), room.presence.update];
    },

    usePublish(event?: string, options?: PublishOptions) {
      const { room } = useSeat();
      const latest = useLatest(options);
      return useMemo(() => {
        if (!event) return room.publish;
        return (data: unknown, more?: PublishOptions) => room.publish(event, data, { ...latest.current, ...more });
      }, [room, event]);
    },

    useEvent(event: string, handler: (data: unknown, message: Message) => void) {
      const latest = useLatest(handler);
      useInside((room) => room.on(event, (data, message) => latest.current(data, message)), event);
    },

    useMessages(events?: string | readonly string[], { limit = 100, max = 1_000 } = {}) {
      const { room, enabled } = useSeat();
      const [follow, get] = useMemo(
        () => createLog(room, events, limit, max),
        [room, enabled, `${events}`, limit, max],
      );
      return useSyncExternalStore(enabled ? follow : () => () => {}, get, get);
    },

    useLostConnection(callback: (event: ConnectionEvent) => void, { after = 5_000 } = {}) {
      const latest = useLatest(callback);
      useInside((room) => {
        let timer: ReturnType<typeof setTimeout>;
        /** What was told, or is to be told with the next connection. */
        let last: ConnectionEvent | undefined;
        const tell = (event: ConnectionEvent) => latest.current((last = event));
        const turned = (status: Status) => {
          clearTimeout(timer);
          if (status === "disconnected") tell("failed");
          else if (status === "connected") {
            if (last) tell(last === "missed" ? last : "restored");
            last = undefined;
          } else if (!last) timer = setTimeout(tell, after, "lost");
        };
        turned(room.status);
        return together([
          room.watch("status", turned),
          room.watch("gap", () => void (last = "missed")),
          () => clearTimeout(timer),
        ]);
      }, after);
    },
  };
}

/** What was rendered last, for callbacks that come later. */
function useLatest<V>(value: V) {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
