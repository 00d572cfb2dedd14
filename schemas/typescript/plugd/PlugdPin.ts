// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** What a plugin must stay at. */
export type PlugdPin = {
  /**
   * The commit, or the exact release of a registry; null where any may stand behind the
   * version.
   */
  commit: string | null;
  /** The digest of the copy; null where its content may change under the version. */
  digest: string | null;
  /** The locks that hold it there; none when somebody pinned it by hand. */
  lockPaths: Array<AbsolutePathBuf>;
  /** The version. */
  version: string;
};
