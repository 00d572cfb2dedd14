// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginShareDiscoverability } from "./PluginShareDiscoverability";
import type { PluginShareTarget } from "./PluginShareTarget";

/** Params of `plugin/share/updateTargets`: who can see a share from now on, and no one else. */
export type PluginShareUpdateTargetsParams = {
  /** Who can find it. */
  discoverability: PluginShareDiscoverability;
  /** The share. */
  remotePluginId: string;
  /** Who may use or change it: people and groups. Whoever is not named loses it. */
  shareTargets: Array<PluginShareTarget>;
};
