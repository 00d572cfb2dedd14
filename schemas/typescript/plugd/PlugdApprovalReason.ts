// Generated from the protocol of plugd. Changes are overwritten.

/** Why an approval is what it is. */
export type PlugdApprovalReason =
  /** It was asked for. */
  | "approved"
  /** It was taken back. */
  | "revoked"
  /** It was so before. */
  | "unchanged";
