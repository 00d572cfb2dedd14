// Generated from the protocol of plugd. Changes are overwritten.

/** What a client wants from this server beyond the reference. */
export type PlugdClientCapabilities = {
  /**
   * Whether to send `plugd/changed` and `plugd/task`. Not unless it is true, so that a client
   * of the reference never meets a notification it does not know.
   */
  notifications?: boolean | null;
};
