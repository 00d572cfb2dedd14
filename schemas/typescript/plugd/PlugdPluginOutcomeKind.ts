// Generated from the protocol of plugd. Changes are overwritten.

/** What was done with a plugin. */
export type PlugdPluginOutcomeKind =
  /** It was missing and is there. */
  | "installed"
  /** It was different from its source and is not any more. */
  | "updated"
  /** It was there and is not any more, because its source does not have it. */
  | "removed"
  /** There was nothing to do. */
  | "unchanged"
  /** It is different from its source, and something keeps it where it is. */
  | "heldBack"
  /** It could not be done; the copy before is untouched. */
  | "failed";
