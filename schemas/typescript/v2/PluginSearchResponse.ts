// Generated from the protocol of plugd. Changes are overwritten.
import type { MarketplaceLoadErrorInfo } from "./MarketplaceLoadErrorInfo";
import type { PluginSearchResult } from "./PluginSearchResult";

/** Result of `plugin/search`. */
export type PluginSearchResponse = {
  /** What was found, the best first. */
  data: Array<PluginSearchResult>;
  /** As in `plugin/list`: what could not be searched. Not in the reference. */
  marketplaceLoadErrors: Array<MarketplaceLoadErrorInfo>;
  /** What to send as `cursor` for more; null when this was all. */
  nextCursor: string | null;
};
