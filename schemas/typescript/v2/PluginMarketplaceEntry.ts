// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { MarketplaceInterface } from "./MarketplaceInterface";
import type { PluginSummary } from "./PluginSummary";

/** A marketplace with its plugins. */
export type PluginMarketplaceEntry = {
  /** How it wants to be shown. */
  interface: MarketplaceInterface | null;
  /** Its name, the second half of its plugins' ids. */
  name: string;
  /** Its file; null for a remote one, and for one that is gone while its plugins are installed. */
  path: AbsolutePathBuf | null;
  /** Its plugins, in its own order. */
  plugins: Array<PluginSummary>;
};
