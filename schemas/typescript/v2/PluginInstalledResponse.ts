// Generated from the protocol of plugd. Changes are overwritten.
import type { MarketplaceLoadErrorInfo } from "./MarketplaceLoadErrorInfo";
import type { PluginMarketplaceEntry } from "./PluginMarketplaceEntry";

/** Result of `plugin/installed`. */
export type PluginInstalledResponse = {
  /** As in `plugin/list`. */
  marketplaceLoadErrors: Array<MarketplaceLoadErrorInfo>;
  /**
   * The marketplaces with what is installed from them, without those that have nothing. Plugins
   * whose marketplace or entry is gone come last.
   */
  marketplaces: Array<PluginMarketplaceEntry>;
};
