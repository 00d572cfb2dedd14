// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `marketplace/upgrade`. */
export type MarketplaceUpgradeParams = {
  /** A configured git marketplace; absent means all of them. */
  marketplaceName?: string | null;
};
