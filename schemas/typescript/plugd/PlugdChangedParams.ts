// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdChangeReason } from "./PlugdChangeReason";

/**
 * Params of `plugd/changed`. A client that reads anew what is named here is up to date; several
 * changes may be told as one, and one may be told twice. When nothing is named, anything may
 * have changed.
 */
export type PlugdChangedParams = {
  /** Key paths of the configuration that changed. */
  configKeys: Array<string>;
  /** Grows with every notification of the process. */
  id: number;
  /** Names of the marketplaces that changed. */
  marketplaces: Array<string>;
  /** Ids of the plugins that changed, as `name@marketplace`. */
  plugins: Array<string>;
  /** What caused it. */
  reason: PlugdChangeReason;
  /**
   * Of `marketplaces` those whose history was replaced: what they offer now does not descend
   * from what they offered before.
   */
  rewrittenMarketplaces: Array<string>;
};
