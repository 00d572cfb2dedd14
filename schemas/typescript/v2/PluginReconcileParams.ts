// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugin/reconcile`. */
export type PluginReconcileParams = {
  /** Why the client asks, for the log. */
  reason?: string | null;
};
