// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Result of `marketplace/add`. */
export type MarketplaceAddResponse = {
  /** Whether the same source was configured before. */
  alreadyAdded: boolean;
  /** Its directory on this machine. */
  installedRoot: AbsolutePathBuf;
  /** The name that its manifest gives it. */
  marketplaceName: string;
};
