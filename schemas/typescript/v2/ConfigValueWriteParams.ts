// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "../serde_json/JsonValue";
import type { MergeStrategy } from "./MergeStrategy";

/** Params of `config/value/write`. */
export type ConfigValueWriteParams = {
  /** The version that the file must still have. */
  expectedVersion?: string | null;
  /** The file to write; absent means the user's, and any other is refused. */
  filePath?: string | null;
  /**
   * The key, with dots between its parts and quotes around a part that needs them. Below
   * `plugd` it is a key of this server's own file.
   */
  keyPath: string;
  /** What becomes of the members of a table that the value does not name. */
  mergeStrategy: MergeStrategy;
  /** The new value; null deletes the key. */
  value: JsonValue;
};
