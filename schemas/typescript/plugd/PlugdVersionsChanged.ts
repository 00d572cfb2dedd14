// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdVersionChange } from "./PlugdVersionChange";

/** Result of `plugd/outdated`, `plugd/update`, `plugd/pin` and `plugd/rollback`. */
export type PlugdVersionsChanged = {
  /** A row for each plugin, sorted by id. */
  changes: Array<PlugdVersionChange>;
  /** Whether nothing was done. */
  dryRun: boolean;
};
