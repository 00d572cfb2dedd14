// Generated from the protocol of plugd. Changes are overwritten.

/** Whether a hook is trusted. */
export type HookTrustStatus =
  /** The organisation prescribes it. */
  | "managed"
  /** Nobody has said so. */
  | "untrusted"
  /** The user trusts it as it is. */
  | "trusted"
  /** The user trusted it when it was another one. */
  | "modified";
