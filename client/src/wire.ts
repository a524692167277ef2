// The messages of the wire protocol, version 1 (docs/protocol.md). Ids in brackets are its rules.

/** What a token allows (T2). */
export type Right = "subscribe" | "publish" | "presence" | "history" | "admin";

/** How many connections and users are in a room (P3). */
export interface Occupancy {
  readonly connections: number;
  readonly users: number;
}

/** A member as the server tells of it (C2). */
export interface WireMember {
  readonly connection: string;
  readonly user: { readonly id: string; readonly info: unknown };
  readonly state: unknown;
  readonly at: number;
}

/** The server's first message (C2). */
export interface Welcome {
  readonly type: "welcome";
  readonly protocol: number;
  readonly room: string;
  readonly connection: string;
  readonly session: string;
  readonly user: WireMember["user"];
  readonly can: readonly Right[];
  readonly expires_in: number | null;
  readonly epoch: string;
  readonly offset: number;
  readonly recovered: boolean | null;
  readonly members?: readonly WireMember[];
  readonly occupancy: Occupancy;
  readonly ping: number;
  readonly limits: {
    readonly message_bytes: number;
    readonly state_bytes: number;
    readonly rate_per_second: number;
  };
}

/** Something published (M1 to M3). */
export interface Published {
  readonly type: "message";
  readonly event: string;
  readonly data: unknown;
  readonly user: string;
  readonly from?: string;
  readonly offset?: number;
  readonly at?: number;
  readonly private?: true;
}

/** An answer to `history` (R6). */
export interface HistoryReply {
  readonly type: "history";
  readonly id?: string;
  readonly messages: readonly Published[];
  readonly epoch: string;
  readonly more: boolean;
}

/** An error (E1). */
export interface WireError {
  readonly type: "error";
  readonly id?: string;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retry_after?: number;
  readonly hint?: string;
}

/** States and what changed in them, by connection (P2). */
export interface States {
  readonly type: "states";
  readonly states?: Readonly<Record<string, unknown>>;
  readonly patches?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What a room may send. A client passes over what it does not know (C5). */
export type ServerMessage =
  | Welcome
  | Published
  | HistoryReply
  | WireError
  | States
  | { readonly type: "skip"; readonly offset: number }
  | { readonly type: "ack"; readonly id: string; readonly offset?: number }
  | { readonly type: "auth"; readonly expires_in: number | null; readonly can: readonly Right[] }
  | { readonly type: "join"; readonly member: WireMember }
  | { readonly type: "leave"; readonly connection: string; readonly user: string }
  | { readonly type: "members"; readonly members: readonly WireMember[] }
  | ({ readonly type: "occupancy" } & Occupancy);

/** What a client may send. */
export type ClientMessage =
  | {
      type: "publish";
      id?: string | undefined;
      event: string;
      data: unknown;
      ephemeral?: boolean | undefined;
      to?: readonly string[] | undefined;
      echo?: boolean | undefined;
    }
  // One of both; what is undefined is not sent.
  | { type: "state"; id?: string; state?: unknown; patch?: Readonly<Record<string, unknown>> | undefined }
  | { type: "history"; id?: string; before?: number | undefined; after?: number | undefined; limit?: number | undefined }
  | { type: "auth"; id?: string; token: string };
