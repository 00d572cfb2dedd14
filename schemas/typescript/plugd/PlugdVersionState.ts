// Generated from the protocol of plugd. Changes are overwritten.

/** Whether a version is the one that is used. */
export type PlugdVersionState =
  /** It is installed. */
  | "installed"
  /** It was replaced, and can come back. */
  | "kept";
