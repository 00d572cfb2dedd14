// Generated from the protocol of plugd. Changes are overwritten.

/** A token that a client made up to recognise progress by. It comes back exactly as it was sent. */
export type ProgressToken = string | number;
