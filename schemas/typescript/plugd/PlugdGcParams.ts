// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugd/gc`. */
export type PlugdGcParams = {
  /** Whether to only tell what would be removed. */
  dryRun?: boolean | null;
};
