// Generated from the protocol of plugd. Changes are overwritten.

/** What becomes of the members of a table that a new value does not name. */
export type MergeStrategy =
  /** They go. */
  | "replace"
  /** They stay. */
  | "upsert";
