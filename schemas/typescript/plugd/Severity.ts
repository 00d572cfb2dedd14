// Generated from the protocol of plugd. Changes are overwritten.

/** How bad a problem is. */
export type Severity =
  /** Something is ignored or unusual; the rest works. */
  | "warning"
  /** The thing it speaks of cannot be used. */
  | "error";
