// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { Problem } from "../plugd/Problem";

/** Result of `marketplace/add`. */
export type MarketplaceAddResponse = {
  /** Whether the same source was configured before; then nothing was fetched. */
  alreadyAdded: boolean;
  /**
   * The full id of the commit that is checked out, or the digest of the artifact or archive;
   * null for a local marketplace. Not in the reference.
   */
  commit: string | null;
  /** Its directory on this machine. */
  installedRoot: AbsolutePathBuf;
  /** The name that its manifest gives it. */
  marketplaceName: string;
  /** What was left out or ignored on the way. Not in the reference. */
  problems: Array<Problem>;
};
