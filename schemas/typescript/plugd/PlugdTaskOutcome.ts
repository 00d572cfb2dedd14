// Generated from the protocol of plugd. Changes are overwritten.

/** How background work went. */
export type PlugdTaskOutcome =
  /** It reached its end; single plugins may have failed. */
  | "ok"
  /** It did not. */
  | "failed";
