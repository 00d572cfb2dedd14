// Generated from the protocol of plugd. Changes are overwritten.

/** Any JSON value. */
export type JsonValue =
  | number
  | string
  | boolean
  | Array<JsonValue>
  | { [key in string]?: JsonValue }
  | null;
