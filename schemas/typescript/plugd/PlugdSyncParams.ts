// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/sync`. */
export type PlugdSyncParams = {
  /** The directory whose project is meant, as in `plugd/lock`. */
  cwd: AbsolutePathBuf;
  /** Only tell what would change. */
  dryRun?: boolean | null;
  /** Change nothing, and fail when something would have to change. */
  frozen?: boolean | null;
  /** Ask no other machine; what would have to be fetched is named by the error. */
  offline?: boolean | null;
  /** Another file to follow. */
  path?: AbsolutePathBuf | null;
  /**
   * Follow this lock also where another lock or the user has pinned something else, or a plugin
   * is installed from another marketplace of the same name.
   */
  switch?: boolean | null;
};
