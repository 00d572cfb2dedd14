// Generated from the protocol of plugd. Changes are overwritten.

/** Whether a plugin may be installed. */
export type PluginInstallPolicy =
  /** Shown, and refused on install. */
  | "NOT_AVAILABLE"
  /** May be installed. */
  | "AVAILABLE"
  /** May be installed, and its marketplace recommends to have it. */
  | "INSTALLED_BY_DEFAULT";
