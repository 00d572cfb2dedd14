// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugd/rollback`. */
export type PlugdRollbackParams = {
  /** Whether to only tell what would change. */
  dryRun?: boolean | null;
  /** `name@marketplace`. */
  pluginId: string;
  /**
   * A kept version: its version, or the beginning of its commit or digest. Without it, the
   * version that stood there before the installed one.
   */
  to?: string | null;
};
