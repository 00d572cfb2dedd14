// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugin/share/list`: nothing. */
export type PluginShareListParams = Record<string, never>;
