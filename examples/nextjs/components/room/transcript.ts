// The list as it is shown: the room's messages, and after them what is not among them yet.
import type { Message } from "roomful";
import { nameOf } from "@/realtime/person";
import type { Types } from "@/realtime/types";
import type { Draft } from "./outgoing";

export type Said = Message<Types, "chat" | "announcement">;

export interface Line {
  /** The same for a draft and the message that it becomes: what is on the screen stays where it is. */
  readonly key: string;
  readonly kind: "chat" | "announcement";
  readonly author: string;
  readonly name: string;
  readonly text: string;
  readonly at: number;
  /** Whether it follows a line by the same person, and needs no name of its own. */
  readonly follows: boolean;
  /** Whether it is the first of its day. */
  readonly opensDay: boolean;
  readonly draft?: Draft;
}

/** Lines by one person belong together if no more than this lies between them. */
const PAUSE = 5 * 60_000;

/** Only the server publishes without a connection; whoever else says so is not believed. */
export const isAnnouncement = ({ event, user, from }: Said) => event === "announcement" && user === "server" && !from;

/** The drafts that a list does not hold yet. */
export function pending(drafts: readonly Draft[], messages: readonly Said[], me: string): readonly Draft[] {
  if (!drafts.length) return drafts;
  const known = new Set(messages.map((message) => ownKey(message, me)));
  const last = messages.at(-1)?.offset ?? 0;
  return drafts.filter(({ key, offset }) => !known.has(key) && !(offset && offset <= last));
}

export function transcript(messages: readonly Said[], drafts: readonly Draft[], me: string): readonly Line[] {
  const lines: Line[] = [];
  const used = new Set<string>();

  const add = (line: Omit<Line, "follows" | "opensDay">) => {
    const before = lines.at(-1);
    const opensDay = !before || dayOf(before.at) !== dayOf(line.at);
    const { kind, author, at } = line;
    const follows = !opensDay && kind === "chat" && before.kind === kind && before.author === author && at - before.at < PAUSE;
    lines.push({ ...line, opensDay, follows });
  };

  for (const message of messages) {
    const { user: author, offset, at = 0 } = message;
    if (message.event === "announcement") {
      if (!isAnnouncement(message)) continue;
      const { text, by } = message.data;
      add({ key: `${offset}`, kind: "announcement", author, name: by, text, at });
    } else {
      const own = ownKey(message, me);
      const key = own && !used.has(own) ? own : `${offset}`;
      used.add(key);
      add({ key, kind: "chat", author, name: nameOf(author), text: message.data.text, at });
    }
  }
  for (const draft of drafts) {
    add({ key: draft.key, kind: "chat", author: me, name: nameOf(me), text: draft.text, at: draft.at, draft });
  }
  return lines;
}

const ownKey = (message: Said, me: string) => (message.event === "chat" && message.user === me ? message.data.key : undefined);

const dayOf = (at: number) => new Date(at).toDateString();
