// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Result of `marketplace/remove`. */
export type MarketplaceRemoveResponse = {
  /**
   * The checkout, or what was unpacked, that was deleted; null for a local one, whose directory
   * is left alone.
   */
  installedRoot: AbsolutePathBuf | null;
  /** Its name. */
  marketplaceName: string;
  /**
   * Ids of the plugins that stay installed and active and have no marketplace from now on. Not
   * in the reference.
   */
  orphans: Array<string>;
  /** Ids of the plugins that were uninstalled with it. Not in the reference. */
  removedPlugins: Array<string>;
};
