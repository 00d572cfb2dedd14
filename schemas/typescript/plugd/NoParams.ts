// Generated from the protocol of plugd. Changes are overwritten.

/** Params of a message that carries nothing. Unknown members are ignored. */
export type NoParams = Record<string, never>;
