// Generated from the protocol of plugd. Changes are overwritten.

/** How the new commit of a repository stands to the one before. */
export type MarketplaceHistory =
  /** It descends from it. */
  | "forward"
  /** It does not: somebody replaced the history. */
  | "rewritten"
  /** The part of the history that is here does not tell. */
  | "unknown";
