// Generated from the protocol of plugd. Changes are overwritten.
import type { MarketplaceLoadErrorInfo } from "./MarketplaceLoadErrorInfo";
import type { PluginMarketplaceEntry } from "./PluginMarketplaceEntry";

/** Result of `plugin/list`. */
export type PluginListResponse = {
  /** Plugins that the remote catalog recommends, whether they are listed or not. */
  featuredPluginIds: Array<string>;
  /** What could not be read, hidden or used, and why. Nothing is left out without a row here. */
  marketplaceLoadErrors: Array<MarketplaceLoadErrorInfo>;
  /** The marketplaces with their plugins. */
  marketplaces: Array<PluginMarketplaceEntry>;
  /**
   * Why `forceRemoteSync` failed; the rest of the answer is then what was known before. Null
   * when it was not asked for. Older clients read it.
   */
  remoteSyncError: string | null;
};
