// Generated from the protocol of plugd. Changes are overwritten.

/** What kind of somebody a principal is. */
export type PluginSharePrincipalType =
  /** One person. */
  | "user"
  /** A group. */
  | "group"
  /** The whole workspace. */
  | "workspace";
