"use client";
import { useCallback, useMemo, useState } from "react";
import type { RoomfulError } from "roomful";
import { usePublish } from "@/realtime/context";
import { explain } from "./explain";

/** A message of one's own that is not in the list yet. */
export interface Draft {
  readonly key: string;
  readonly text: string;
  readonly at: number;
  /** Its place in the room's history, once the room has stored it. */
  readonly offset?: number;
  /** Why it was refused. */
  readonly problem?: string;
}

export interface Outgoing {
  readonly drafts: readonly Draft[];
  readonly send: (text: string) => void;
  readonly retry: (draft: Draft) => void;
  /** Forgets drafts: they are in the list by now, or were given up. */
  readonly drop: (keys: readonly string[]) => void;
}

/**
 * What was written, shown before the room has it. There is no resending here: the client keeps a message through
 * every loss of the connection, and its promise only rejects if the room refused it.
 */
export function useOutgoing(): Outgoing {
  const publish = usePublish("chat");
  const [drafts, setDrafts] = useState<readonly Draft[]>([]);

  const deliver = useCallback(
    ({ key, text }: Draft) => {
      const change = (part: Partial<Draft>) =>
        setDrafts((all) => all.map((draft) => (draft.key === key ? { ...draft, ...part } : draft)));
      publish({ text, key }).then(
        ({ offset }) => change({ offset }),
        (error: RoomfulError) => change({ problem: explain(error) }),
      );
    },
    [publish],
  );

  const send = useCallback(
    (text: string) => {
      const draft = { key: newKey(), text, at: Date.now() };
      setDrafts((all) => [...all, draft]);
      deliver(draft);
    },
    [deliver],
  );

  const drop = useCallback(
    (keys: readonly string[]) => setDrafts((all) => all.filter(({ key }) => !keys.includes(key))),
    [],
  );

  const retry = useCallback(
    ({ key, text }: Draft) => {
      const draft = { key, text, at: Date.now() };
      setDrafts((all) => [...all.filter((other) => other.key !== key), draft]);
      deliver(draft);
    },
    [deliver],
  );

  return useMemo(() => ({ drafts, send, retry, drop }), [drafts, send, retry, drop]);
}

// `crypto.randomUUID` would need https, which a phone in the same network has not.
const newKey = () => crypto.getRandomValues(new Uint32Array(3)).join("-");
