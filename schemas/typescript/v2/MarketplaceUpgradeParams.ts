// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `marketplace/upgrade`. */
export type MarketplaceUpgradeParams = {
  /**
   * A configured marketplace of git, of a registry or behind an address; absent means all of
   * them.
   */
  marketplaceName?: string | null;
};
