// What is said in this app's rooms. The compiler checks it; schemas.ts checks what others really send.

/** Where a pointer is, as shares of the pane's width and height: everybody's pane has another size. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Types {
  /** What tokens say of a person. */
  info: { name: string };
  /** In the lobby, where somebody is; in a room, what they do there. */
  state: { room?: string; cursor?: Point; typing?: boolean };
  events: {
    /** `key` is made by the sender's page, which knows its own message again by it. */
    chat: { text: string; key: string };
    /** Published by the server: see `isAnnouncement`. */
    announcement: { text: string; by: string };
  };
}
