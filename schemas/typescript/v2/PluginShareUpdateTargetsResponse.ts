// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginShareDiscoverability } from "./PluginShareDiscoverability";
import type { PluginSharePrincipal } from "./PluginSharePrincipal";

/** Result of `plugin/share/updateTargets`: what the service made of it. */
export type PluginShareUpdateTargetsResponse = {
  /** Who can find it now. */
  discoverability: PluginShareDiscoverability;
  /** Who may do what now. */
  principals: Array<PluginSharePrincipal>;
};
