// Generated from the protocol of plugd. Changes are overwritten.

/** What versions are sorted by. */
export type PlugdVersionOrder =
  /** All of them are semantic versions. */
  | "semver"
  /** The time they were installed. */
  | "time";
