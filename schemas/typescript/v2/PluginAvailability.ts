// Generated from the protocol of plugd. Changes are overwritten.

/** Whether a plugin may be installed and used at all. */
export type PluginAvailability =
  /** It may. */
  | "AVAILABLE"
  /** An administrator forbids it. */
  | "DISABLED_BY_ADMIN";
