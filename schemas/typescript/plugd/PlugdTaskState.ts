// Generated from the protocol of plugd. Changes are overwritten.

/** Whether background work runs now. */
export type PlugdTaskState =
  /** It does not. */
  | "idle"
  /** It does. */
  | "running";
