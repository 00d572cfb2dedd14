// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugd/status`: none. */
export type PlugdStatusParams = Record<string, never>;
