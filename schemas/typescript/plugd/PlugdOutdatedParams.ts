// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugd/outdated`. */
export type PlugdOutdatedParams = {
  /** `name@marketplace` of the plugin; without it, all that are installed. */
  pluginId?: string | null;
};
