// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugd/verify`. */
export type PlugdVerifyParams = {
  /** `name@marketplace` of the plugin to look at; without it, all. */
  pluginId?: string | null;
};
