// Generated from the protocol of plugd. Changes are overwritten.

/** What a block of the text is about. */
export type PlugdInstructionsPartKind =
  /** The plugins. */
  | "plugins"
  /** The skills. */
  | "skills";
