// Generated from the protocol of plugd. Changes are overwritten.

/** How a marketplace wants to be shown. */
export type MarketplaceInterface = {
  /** The name for people. */
  displayName: string | null;
};
