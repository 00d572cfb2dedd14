// Generated from the protocol of plugd. Changes are overwritten.
import type { ConfigEdit } from "./ConfigEdit";

/** Params of `config/batchWrite`. */
export type ConfigBatchWriteParams = {
  /** The edits, in order. An empty list succeeds and changes nothing. */
  edits: Array<ConfigEdit>;
  /** The version that the file must still have. */
  expectedVersion?: string | null;
  /** The file to write; absent means the user's, and any other is refused. */
  filePath?: string | null;
  /** Changes nothing: every request reads the configuration as it is. */
  reloadUserConfig?: boolean | null;
};
