// Generated from the protocol of plugd. Changes are overwritten.

/** What had to happen so that a home matches a lock. */
export type PlugdSyncReason =
  /** Nothing. */
  | "unchanged"
  /** The marketplace was added. */
  | "added"
  /** The plugin was installed. */
  | "installed"
  /** Another version took its place. */
  | "moved"
  /** The version was the same, and source or content were not. */
  | "replaced"
  /** It is held where it is from now on. */
  | "pinned"
  /** It was switched on. */
  | "switchedOn";
