// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugd/release`. */
export type PlugdReleaseParams = {
  /** What `plugd/components` answered. */
  leaseId: string;
};
