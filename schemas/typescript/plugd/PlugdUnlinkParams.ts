// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/unlink`: exactly one of the two names. */
export type PlugdUnlinkParams = {
  /** Whether to tell only what would change. */
  dryRun?: boolean | null;
  /** The directory, which need not exist any more. */
  path?: AbsolutePathBuf | null;
  /** `name@marketplace` of the plugin. */
  pluginId?: string | null;
};
