// What the compiler lets pass in roomful/react, and what it must not. It is compiled only.
import { createElement as h } from "react";
import { RoomProvider, RoomfulProvider, createRoomContext, useEvent, useMessages } from "../../src/react.ts";
import { useMyState, useOther, useOthers, usePublish, useSelf } from "../../src/react.ts";
import type { MessageLog } from "../../src/react.ts";
import { createClient } from "../../src/index.ts";
import type { Ack, Member, Message } from "../../src/index.ts";

interface Types {
  state: { cursor: [x: number, y: number] | null; typing?: boolean };
  events: { chat: { text: string }; move: number };
  info: { name: string };
}

const typed = createRoomContext<Types>();

export function Typed() {
  const [state, update] = typed.useMyState();
  state?.cursor?.[0].toFixed();
  update({ cursor: [1, 2] });
  update({ typing: null });
  // @ts-expect-error: no such key
  update({ mouse: 1 });
  // @ts-expect-error: not this type
  update({ cursor: "here" });

  const others: readonly Member<Types>[] = typed.useOthers();
  const names: string[] = typed.useOthers((all) => all.map(({ user }) => user.info.name));
  const count: number = typed.useOthers(
    (all) => all.length,
    (a, b) => a === b,
  );
  // @ts-expect-error: no such info
  typed.useOthers((all) => all.map(({ user }) => user.info.age));
  // @ts-expect-error: what is compared are numbers
  typed.useOthers((all) => all.length, (a: string, b: string) => a === b);
  const typing: boolean | null | undefined = typed.useOther("1", (other) => other.state?.typing);
  const name: string | undefined = typed.useSelf()?.user.info.name;
  // @ts-expect-error: it may not be known yet
  typed.useSelf().user;

  const publish = typed.usePublish();
  const ack: Promise<Ack> = publish("chat", { text: "hello" }, { echo: false });
  // @ts-expect-error: not this data
  void publish("move", "far");
  // @ts-expect-error: no such event
  void publish("dance", 1);
  const say = typed.usePublish("chat", { ephemeral: true });
  void say({ text: "hello" });
  // @ts-expect-error: not this data
  void say("hello");
  // @ts-expect-error: no such event
  typed.usePublish("dance");

  typed.useEvent("chat", ({ text }, { user, event }) => {
    const kind: "chat" = event;
    return [text.length, user.length, kind];
  });
  // @ts-expect-error: not this data
  typed.useEvent("move", ({ text }) => text);
  // @ts-expect-error: no such event
  typed.useEvent("dance", () => {});

  const chat: MessageLog<Types, "chat"> = typed.useMessages("chat", { limit: 10 });
  const text: string | undefined = chat.messages[0]?.data.text;
  const both: MessageLog<Types> = typed.useMessages(["chat", "move"]);
  for (const message of both.messages) {
    if (message.event === "move") message.data.toFixed();
    else message.data.text.trim();
  }
  const all: readonly Message<Types>[] = typed.useMessages().messages;
  // @ts-expect-error: no such event
  typed.useMessages(["chat", "dance"]);

  typed.useLostConnection((event) => event === "lost");
  // @ts-expect-error: no such event
  typed.useLostConnection((event) => event === "gone");
  return [others, names, count, typing, name, ack, text, all];
}

const client = createClient<Types>({ url: "https://realtime.example.com" });
const fixed = createRoomContext();
h(fixed.RoomProvider, { id: "lobby", initialState: { cursor: null } });
h(typed.RoomProvider, { id: "lobby", history: 10, enabled: false }, h("p"), h("p"));
// @ts-expect-error: not this state
h(typed.RoomProvider, { id: "lobby", initialState: { cursor: 1 } });
// @ts-expect-error: a room has a name
h(typed.RoomProvider, {});
h(typed.RoomfulProvider, { client });
h(RoomfulProvider, { client }, h(typed.RoomProvider, { id: "lobby" }));
h(RoomfulProvider, { client: createClient({ url: "https://realtime.example.com" }) }, h(RoomProvider, { id: "lobby" }));
h(RoomfulProvider, { url: "https://realtime.example.com", authEndpoint: "/api/roomful" });
// @ts-expect-error: neither a client nor an address
h(RoomfulProvider, {});
// @ts-expect-error: a client has its options already
h(RoomfulProvider, { client: createClient({ url: "https://realtime.example.com" }), url: "https://example.com" });

export function Untyped() {
  const [state, update] = useMyState();
  update({ anything: state.goes });
  const names: string[] = useOthers((others) => others.map(({ user }) => user.info.name));
  const cursor: unknown = useOther("1", ({ state }) => state.cursor);
  const self: Member | null = useSelf();
  void usePublish()("anything", 1);
  void usePublish("anything")({ goes: true });
  useEvent("anything", (data) => data.goes);
  return [names, cursor, self, useMessages("anything").messages[0]?.data.goes];
}
