// Generated from the protocol of plugd. Changes are overwritten.

/**
 * An absolute path. Nothing is promised about what it names: it may be gone, and it may be a
 * link.
 */
export type AbsolutePathBuf = string;
