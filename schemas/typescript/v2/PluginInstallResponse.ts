// Generated from the protocol of plugd. Changes are overwritten.
import type { AppSummary } from "./AppSummary";
import type { PluginAuthPolicy } from "./PluginAuthPolicy";
import type { PluginRebinding } from "../plugd/PluginRebinding";
import type { Problem } from "../plugd/Problem";

/** Result of `plugin/install`. It is on disk when this is sent. */
export type PluginInstallResponse = {
  /** Apps that are not connected yet. */
  appsNeedingAuth: Array<AppSummary>;
  /** When its apps ask for their login. */
  authPolicy: PluginAuthPolicy;
  /** Whether anything on disk is different from before. Not in the reference. */
  changed: boolean;
  /** The version that is installed now. Not in the reference. */
  installedVersion: string;
  /** What was left out or ignored on the way. Not in the reference. */
  problems: Array<Problem>;
  /**
   * Set when the plugin was bound to another source before and is bound to this one from now
   * on, so that updates come from here. Not in the reference.
   */
  rebound: PluginRebinding | null;
};
