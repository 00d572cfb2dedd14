// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/lock`. */
export type PlugdLockParams = {
  /**
   * The directory whose project is meant. The nearest `.agents/plugins/plugins.lock` up to the
   * project's root is its lock; without any, one is made at the root.
   */
  cwd: AbsolutePathBuf;
  /** Only tell what would change. */
  dryRun?: boolean | null;
  /** Another file to write. */
  path?: AbsolutePathBuf | null;
  /**
   * The plugins whose blocks change, as `name@marketplace`; the others stay as they are.
   * Without them the lock becomes everything that is installed and switched on.
   */
  pluginIds?: Array<string> | null;
};
