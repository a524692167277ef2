// The part of Standard Schema that this package uses: https://standardschema.dev, version 1.
import { RoomfulError } from "./error.ts";

/** A schema of any library that follows Standard Schema, whose output is `Output`. It must not be asynchronous. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** Whoever looks at the promise learns of its error; who does not is left alone. */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** The error of a value that does not fit its schema; `what` is the event, or `state`. */
export function misfit(schema: StandardSchema | undefined, value: unknown, what: string): RoomfulError | undefined {
  try {
    const result = schema?.["~standard"].validate(value);
    if (result instanceof Promise ? quietly(result) : result?.issues) throw result;
    return undefined;
  } catch (cause) {
    // Or the schema itself has thrown, at what it did not expect.
    return new RoomfulError("invalid_data", `Invalid: ${what}`, { cause });
  }
}
