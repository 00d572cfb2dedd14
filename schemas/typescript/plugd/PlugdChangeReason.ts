// Generated from the protocol of plugd. Changes are overwritten.

/** What caused a change. */
export type PlugdChangeReason =
  /** A request of this connection. */
  | "request"
  /** The background refresh. */
  | "refresh"
  /** The synchronisation with a remote marketplace. */
  | "sync"
  /** Another program changed files. */
  | "watcher";
