// Generated from the protocol of plugd. Changes are overwritten.

/** The id of a request. It comes back exactly as it was sent. */
export type RequestId = string | number;
