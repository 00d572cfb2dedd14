// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/import`. */
export type PlugdImportParams = {
  /** Only tell what would change. The archive is unpacked and checked all the same. */
  dryRun?: boolean | null;
  /** The archive. */
  path: AbsolutePathBuf;
  /**
   * Follow it also where a lock or the user has pinned something else, or a plugin is installed
   * from another marketplace of the same name.
   */
  switch?: boolean | null;
};
