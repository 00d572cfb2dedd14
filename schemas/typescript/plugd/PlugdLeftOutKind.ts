// Generated from the protocol of plugd. Changes are overwritten.

/** What the budget had no room for. */
export type PlugdLeftOutKind =
  /** A plugin altogether. */
  | "plugin"
  /** A skill altogether. */
  | "skill"
  /** A part of the description of a plugin or skill. */
  | "description";
