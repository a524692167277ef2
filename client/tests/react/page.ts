// A page with React on it. There is no `document` before the first one is opened, as on a server.
import assert from "node:assert/strict";
import { createElement, useEffect } from "react";
import type { ReactNode } from "react";
import { until } from "../../../tests/workerd/until.mjs";

/** Whoever ends before a page may: a test. */
interface Owner {
  after(work: () => unknown): void;
}

/** What was rendered, until the owner ends. */
export interface Page {
  readonly container: HTMLElement;
  /** The text of the page. */
  readonly text: string;
  /** Shows something else. */
  show(content: ReactNode): void;
  /** Takes everything off it. */
  clear(): void;
  /** What React complained of, which must be nothing unless it is taken out. */
  readonly complaints: string[];
}

let browser: Promise<typeof import("react-dom/client")> | undefined;

/** Makes a document, and then loads what looks for one when it is loaded. */
async function open(): Promise<typeof import("react-dom/client")> {
  const { Window } = await import("happy-dom");
  const window = new Window({ url: "http://localhost/" });
  const { document } = window;
  const [addEventListener, removeEventListener] = [
    window.addEventListener.bind(window),
    window.removeEventListener.bind(window),
  ];
  Object.assign(globalThis, { window, document, addEventListener, removeEventListener });
  return import("react-dom/client");
}

/** Renders something, or hydrates what a server has rendered, and waits until that is done. */
export async function show(owner: Owner, content: ReactNode, html?: string): Promise<Page> {
  const { createRoot, hydrateRoot } = await (browser ??= open());
  const container = document.createElement("div");
  document.body.append(container);
  const complaints: string[] = [];
  const { error } = console;
  console.error = (...parts: unknown[]) => void complaints.push(parts.map(String).join(" "));
  const onError = (thrown: unknown) => void complaints.push(String(thrown));
  const settings = { onRecoverableError: onError, onUncaughtError: onError };
  let done = false;
  const Done = ({ children }: { children?: ReactNode }) => {
    useEffect(() => {
      done = true;
    }, []);
    return children;
  };
  const wrap = (inner: ReactNode) => createElement(Done, null, inner);
  let root: ReturnType<typeof createRoot>;
  if (html === undefined) {
    root = createRoot(container, settings);
    root.render(wrap(content));
  } else {
    container.innerHTML = html;
    root = hydrateRoot(container, wrap(content), settings);
  }
  owner.after(() => {
    console.error = error;
    root.unmount();
    container.remove();
    assert.deepEqual(complaints, []);
  });
  await until(() => done || complaints.length, "the first rendering");
  return {
    container,
    complaints,
    get text() {
      return container.textContent ?? "";
    },
    show: (next) => root.render(wrap(next)),
    clear: () => root.render(wrap(null)),
  };
}

/** A component that uses hooks, shows something of what they give, and remembers it for each time it rendered. */
export function probe<V>(use: () => V, text: (value: V) => string = JSON.stringify) {
  const seen: V[] = [];
  return {
    seen,
    get last(): V {
      assert.ok(seen.length, "nothing was rendered");
      return seen.at(-1)!;
    },
    View() {
      const value = use();
      seen.push(value);
      return createElement("p", null, text(value));
    },
  };
}
