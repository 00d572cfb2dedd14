// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { MarketplaceUpgradeChange } from "./MarketplaceUpgradeChange";
import type { MarketplaceUpgradeErrorInfo } from "./MarketplaceUpgradeErrorInfo";

/** Result of `marketplace/upgrade`. What failed stands in `errors`, and holds up nothing else. */
export type MarketplaceUpgradeResponse = {
  /**
   * A row for each marketplace that was looked at, and then one for each of their plugins that
   * moved, was held back or failed. Not in the reference.
   */
  changes: Array<MarketplaceUpgradeChange>;
  /**
   * The marketplaces that could not be brought, each of which is as it was before, and a row
   * for each plugin that could not follow.
   */
  errors: Array<MarketplaceUpgradeErrorInfo>;
  /** Names of the marketplaces that were looked at, sorted. */
  selectedMarketplaces: Array<string>;
  /** The directories of those that moved. */
  upgradedRoots: Array<AbsolutePathBuf>;
};
