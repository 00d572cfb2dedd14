// Generated from the protocol of plugd. Changes are overwritten.

/** Whether what was written is in effect. */
export type WriteStatus =
  /** It is. */
  | "ok"
  /** It is written, and a higher layer overrides it. */
  | "okOverridden";
