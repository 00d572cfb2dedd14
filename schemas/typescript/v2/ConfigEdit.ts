// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "../serde_json/JsonValue";
import type { MergeStrategy } from "./MergeStrategy";

/** One edit of a batch. */
export type ConfigEdit = {
  /** The key, with dots between its parts and quotes around a part that needs them. */
  keyPath: string;
  /** What becomes of the members of a table that the value does not name. */
  mergeStrategy: MergeStrategy;
  /** The new value; null deletes the key. */
  value: JsonValue;
};
