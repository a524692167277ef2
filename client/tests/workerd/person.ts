// Somebody who uses the package, with a record of all that a room told them.
import { createClient } from "../../src/index.ts";
import type { Client, ClientOptions, Gap, Member, Message, Room, RoomfulError, RoomOptions, Status } from "../../src/index.ts";
import { mint } from "../../../tests/workerd/token.mjs";
import { until } from "../../../tests/workerd/until.mjs";
import type { Owner } from "./network.ts";

let rooms = 0;

/** A room's name that no other test of the file uses. */
export const freshRoom = (): string => `room-${++rooms}`;

/** What a server without tokens needs; retries of a test need not wait. */
export const ANONYMOUS = { ROOMFUL_SECRETS: undefined, ROOMFUL_ANONYMOUS: "true" };

/** A token for all rooms. */
export const tokenFor = (sub: string, claims: object = {}): string => mint({ sub, room: "*", ...claims });

/** A room as one holder sees it, and what it told. */
export class Person {
  readonly messages: Message[] = [];
  readonly statuses: Status[] = [];
  readonly joins: Member[] = [];
  readonly leaves: Member[] = [];
  readonly updates: Member[] = [];
  readonly gaps: Gap[] = [];
  readonly errors: RoomfulError[] = [];
  readonly lists: (readonly Member[])[] = [];
  readonly room: Room;

  constructor(room: Room) {
    this.room = room;
    room.onAny((message) => this.messages.push(message));
    room.watch("status", (status) => this.statuses.push(status));
    room.watch("join", (member) => this.joins.push(member));
    room.watch("leave", (member) => this.leaves.push(member));
    room.watch("update", (member) => this.updates.push(member));
    room.watch("gap", (gap) => this.gaps.push(gap));
    room.watch("error", (error) => this.errors.push(error));
    room.watch("members", (members) => this.lists.push(members));
  }

  /** The data of all messages so far. */
  get heard(): unknown[] {
    return this.messages.map(({ data }) => data);
  }

  /** The users who are here. */
  get users(): string[] {
    return this.room.users.map(({ id }) => id).sort();
  }

  /** What somebody else shows here. */
  stateOf(user: string): unknown {
    return this.room.members.find((member) => member.user.id === user)?.state;
  }

  async is(status: Status, within?: number): Promise<this> {
    const what = () => `${status}; it went ${this.statuses}; ${this.room.error?.code} ${this.errors.map(({ code }) => code)}`;
    await until(() => this.room.status === status, what, { within });
    return this;
  }

  async hears(data: unknown, within?: number): Promise<this> {
    const last = () => `${JSON.stringify(data)} after ${JSON.stringify(this.heard.slice(-5))}, ${this.room.status}`;
    await until(() => this.heard.includes(data), last, { within });
    return this;
  }

  async sees(...users: string[]): Promise<this> {
    const wanted = users.sort().join();
    await until(
      () => this.users.join() === wanted,
      () => `${wanted}; here are ${this.users}`,
    );
    return this;
  }
}

/** Options of the client and of the room at once, with the place of both. */
export interface Entrance extends Partial<ClientOptions>, RoomOptions {
  room?: string;
  /** Another holder of the same client. */
  client?: Client;
}

/** Somebody who asks for a room, and leaves it when the test ends. */
export function ask(owner: Owner, server: { readonly url: string }, options: Entrance = {}): Person {
  const { room = "lobby", client = createClient({ url: server.url, ...options }), state, history, enabled } = options;
  const person = new Person(client.room(room, { state, history, enabled }));
  owner.after(() => person.room.leave());
  return person;
}

/** Likewise, and waits until they are in the room. */
export const enter = (owner: Owner, server: { readonly url: string }, options?: Entrance): Promise<Person> =>
  ask(owner, server, options).is("connected");

/** Makes the pauses between attempts that much shorter: they double up to half a minute. */
export function hasten(owner: Owner, times = 50): void {
  const { random } = Math;
  Math.random = () => random() / times;
  owner.after(() => {
    Math.random = random;
  });
}
