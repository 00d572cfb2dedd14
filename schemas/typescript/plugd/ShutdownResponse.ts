// Generated from the protocol of plugd. Changes are overwritten.

/** Result of `shutdown`: null. */
export type ShutdownResponse = null;
