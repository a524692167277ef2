// Who is in the room.
import { patched, same } from "./state.ts";
import type { Member, User } from "./types.ts";
import type { Occupancy, States, WireMember } from "./wire.ts";

/** How long the state of a member who is just coming back is believed to be what it was, in milliseconds. */
const RETURNING = 5_000;

/**
 * Everybody in the room, as an array that is replaced rather than changed. `emit` is told who comes, goes and changes;
 * a state that is not `valid` is not shown.
 */
export function createMembers(emit: (topic: string, value: unknown) => void, valid: (state: unknown) => boolean) {
  const members = new Map<string, Member>();
  /** Those who show what the room has forgotten. */
  const returning = new Set<Member | undefined>();
  let self: Member | null = null;
  let list: readonly Member[] | undefined = [];
  let users: readonly User[] | undefined;
  let connections = 0;
  let occupancy: Occupancy | undefined = { connections, users: 0 };
  let toldList = list;
  let toldOccupancy = occupancy;

  const checked = (state: unknown) => (valid(state) ? state : null);
  const isSelf = (connection: string) => connection === self?.connection;

  function put(connection: string, next?: Member | WireMember): void {
    const old = members.get(connection);
    if (next) members.set(connection, next as Member);
    else members.delete(connection);
    list = users = undefined;
    if (!next !== !old) occupancy = undefined;
    if (!isSelf(connection)) emit(next ? (old ? "update" : "join") : "leave", next ?? old);
  }

  function differs({ connection, at, state }: WireMember): boolean {
    const old = members.get(connection);
    return old?.at !== at || !same(old.state, state);
  }

  /** Shows the state of somebody else. The own one is known better here. */
  function show(connection: string, state: unknown): void {
    const member = members.get(connection);
    if (member && !isSelf(connection)) put(connection, { ...member, state });
  }

  const all = {
    /** The own connection, listed or not. */
    get own() {
      return self && (members.get(self.connection) ?? self);
    },

    get list(): readonly Member[] {
      return (list ??= [...members.values()].sort((a, b) => a.at - b.at));
    },

    get people(): readonly User[] {
      if (users) return users;
      const found = new Map<string, User & { members: Member[] }>();
      for (const member of all.list) {
        const { id } = member.user;
        if (!found.has(id)) found.set(id, { ...member.user, members: [] });
        found.get(id)!.members.push(member);
      }
      return (users = [...found.values()]);
    },

    /** Counts connections that are no members, too. */
    get counted(): Occupancy {
      return (occupancy ??= { connections, users: all.people.length });
    },

    /** The server has counted. */
    count({ connections: counted, users }: Occupancy): void {
      if (self) occupancy = { connections: (connections = counted), users };
    },

    /**
     * Takes over a whole list. Whoever is in both stays as is. In a room that may have restarted and forgotten the
     * states, with `patient`, what they show stays too, until they have told it again (R5).
     */
    relist(next: readonly WireMember[], patient = false): void {
      const gone = new Set(members.keys());
      for (const member of next) {
        // Somebody who is told of a member may leave.
        if (!self) return;
        const { connection } = member;
        const old = members.get(connection);
        gone.delete(connection);
        let state = isSelf(connection) ? self!.state : checked(member.state);
        const returns = patient && state === null && old?.state;
        if (returns) state = returns;
        const shown = { ...member, state };
        if (differs(shown)) put(connection, shown);
        if (returns) returning.add(members.get(connection));
      }
      gone.forEach((connection) => put(connection));
      if (!returning.size) return;
      setTimeout(() => {
        // Of the others there is another object: they have told it.
        for (const [connection, member] of members) if (returning.has(member)) show(connection, null);
        returning.clear();
        all.settle();
      }, RETURNING);
    },

    arrive(member: WireMember): void {
      connections++;
      put(member.connection, { ...member, state: checked(member.state) });
    },

    /** Somebody is gone. */
    depart(connection: string): void {
      connections--;
      put(connection);
    },

    /** Takes over what others changed in their states. */
    change({ states, patches }: States): void {
      for (const connection in states) show(connection, checked(states[connection]));
      for (const connection in patches) {
        const old = members.get(connection);
        // What the room has forgotten, the patch was not merged into.
        show(connection, checked(patched(!returning.has(old) && old?.state, patches[connection]!)));
      }
    },

    /** Who we are, and what we show. */
    become(own: Member): void {
      // Whoever it was until now is nobody who leaves.
      if (self && !isSelf(own.connection)) put(self.connection);
      self = own;
      if (members.has(own.connection) && differs(own)) put(own.connection, own);
    },

    /** Tells of what changed since the last time. */
    settle(): void {
      if (toldOccupancy !== all.counted) emit("occupancy", (toldOccupancy = all.counted));
      if (toldList !== all.list) emit("members", (toldList = all.list));
    },

    /** Forgets everybody. */
    forget(): void {
      all.relist([]);
      occupancy = { connections: (connections = 0), users: 0 };
      self = null;
      all.settle();
    },
  };
  return all;
}

/** Of some members, the one with this connection. */
export const ownAmong = (members: readonly WireMember[], own: string | undefined): WireMember | undefined =>
  members.find(({ connection }) => connection === own);
