// Anybody with a token can send anything. What does not look like this is neither sent nor shown.
//
// These few lines follow Standard Schema (https://standardschema.dev); a schema of Zod or Valibot can stand in their
// place.
import type { ClientOptions } from "roomful";
import type { Types } from "./types";

/** More than anybody wants to read, and far below what the Worker takes. */
export const LONGEST_TEXT = 4_000;

export const schemas: NonNullable<ClientOptions<Types>["schemas"]> = {
  events: {
    chat: schema(
      (value): value is Types["events"]["chat"] => isRecord(value) && isText(value.text) && isText(value.key),
    ),
    announcement: schema(
      (value): value is Types["events"]["announcement"] => isRecord(value) && isText(value.text) && isText(value.by),
    ),
  },
  state: schema(
    (value): value is Types["state"] =>
      isRecord(value) &&
      (value.room === undefined || isText(value.room)) &&
      (value.typing === undefined || typeof value.typing === "boolean") &&
      (value.cursor === undefined || (isRecord(value.cursor) && isShare(value.cursor.x) && isShare(value.cursor.y))),
  ),
};

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isText = (value: unknown) => typeof value === "string" && value.length > 0 && value.length <= LONGEST_TEXT;
const isShare = (value: unknown) => typeof value === "number" && value >= 0 && value <= 1;

function schema<Value>(isValid: (value: unknown) => value is Value) {
  const validate = (value: unknown) =>
    isValid(value) ? { value } : { issues: [{ message: "is not what this app says" }] };
  return { "~standard": { version: 1 as const, vendor: "example", validate } };
}
