// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/link`. */
export type PlugdLinkParams = {
  /** Whether to tell only what would change. */
  dryRun?: boolean | null;
  /** The directory of the plugin. */
  path: AbsolutePathBuf;
  /**
   * `name@marketplace` of the plugin that it stands in for; the name must be that of its
   * manifest. Absent means the plugin that a marketplace offers from this directory, else the
   * installed one of its name, else the configured one, else one of its own, `name@linked`.
   */
  pluginId?: string | null;
};
