// Generated from the protocol of plugd. Changes are overwritten.

/** Who can find a shared plugin. */
export type PluginShareDiscoverability =
  /** Everybody in the workspace. */
  | "LISTED"
  /** Whoever has the link. */
  | "UNLISTED"
  /** Whoever is named. */
  | "PRIVATE";
