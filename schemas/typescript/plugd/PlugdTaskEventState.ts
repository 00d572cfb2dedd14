// Generated from the protocol of plugd. Changes are overwritten.

/** How far background work is. */
export type PlugdTaskEventState =
  /** It began. */
  | "started"
  /** It reached its end. */
  | "done"
  /** It did not reach its end. */
  | "failed";
