// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PluginShareDiscoverability } from "./PluginShareDiscoverability";
import type { PluginShareTarget } from "./PluginShareTarget";

/** Params of `plugin/share/save`: a new share, or a new version of one that this account made. */
export type PluginShareSaveParams = {
  /** Who can find the new share: `UNLISTED` or `PRIVATE`. Absent leaves it to the service. */
  discoverability?: PluginShareDiscoverability | null;
  /**
   * The directory of the plugin. Everything in it is sent, except what the answer names in
   * `leftOut`.
   */
  pluginPath: AbsolutePathBuf;
  /**
   * The share to bring a new version to. Absent makes a new one. Who can see an existing share
   * is changed by `plugin/share/updateTargets` alone, so the two members below must then be
   * absent.
   */
  remotePluginId?: string | null;
  /** Who may use or change the new share: people and groups. */
  shareTargets?: Array<PluginShareTarget> | null;
};
