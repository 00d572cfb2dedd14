// Generated from the protocol of plugd. Changes are overwritten.
import type { MarketplaceHistory } from "./MarketplaceHistory";
import type { Problem } from "../plugd/Problem";

/** What became of a marketplace or of one of its plugins. Exactly one of the two is named. */
export type MarketplaceUpgradeChange = {
  /** Whether files changed. */
  changed: boolean;
  /** The commit, digest or version before; null when there was none or it is not known. */
  from: string | null;
  /**
   * How the new commit of a marketplace stands to the one before; omitted when the marketplace
   * did not move or nothing is known of the one before.
   */
  history?: MarketplaceHistory;
  /** The marketplace; omitted in the row of a plugin. */
  marketplaceName?: string;
  /** The plugin, as `name@marketplace`; omitted in the row of a marketplace. */
  pluginId?: string;
  /** What was left out or ignored on the way, or keeps a plugin from moving. */
  problems: Array<Problem>;
  /** Why it is where it was although it should have moved; null otherwise. */
  reason: string | null;
  /**
   * The commit, digest or version after, or the version that is held back; null when there is
   * none.
   */
  to: string | null;
};
