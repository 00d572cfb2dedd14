// Generated from the protocol of plugd. Changes are overwritten.

/** Which part of the world to search. */
export type PluginSearchScope =
  /** The curated marketplaces. */
  | "global"
  /** What the workspace offers its members. */
  | "workspace"
  /** All other marketplaces. */
  | "personal";
