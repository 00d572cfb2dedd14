// Generated from the protocol of plugd. Changes are overwritten.

/** Why a link is what it is. */
export type PlugdLinkReason =
  /** It was asked for. */
  | "requested"
  /** It was so before. */
  | "unchanged"
  /** Its directory stands in for another plugin now. */
  | "moved";
