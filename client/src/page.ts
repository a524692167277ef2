// What the browser tells of the page and of the network.

/** Something that happened to the page, or to the network it is on. */
export interface PageEvent {
  readonly type: string;
  /** Of a page that is left or shown: whether it is kept for the way back. */
  readonly persisted?: boolean;
}

/** Begins or ends hearing of it. Where there is no page there is nothing to hear. */
export function listen(method: "addEventListener" | "removeEventListener", heard: (event: PageEvent) => void): void {
  if (!globalThis.document) return;
  for (const type of ["online", "offline", "pageshow", "pagehide", "visibilitychange"]) {
    globalThis[method](type, heard as () => void);
  }
}
