// Generated from the protocol of plugd. Changes are overwritten.

/** Result of `plugd/release`. */
export type PlugdReleaseResponse = {
  /** Whether this connection had such a lease. Without one there is nothing to end. */
  released: boolean;
};
