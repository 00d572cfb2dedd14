// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginReconcileChangedPlugin } from "./PluginReconcileChangedPlugin";
import type { Problem } from "../plugd/Problem";

/**
 * Result of `plugin/reconcile`: what is different since the look before this one. Without a
 * login to the remote catalog every list is empty.
 */
export type PluginReconcileResponse = {
  /** Plugins whose content is another now, that were switched on or off, or that are gone. */
  changedPlugins: Array<PluginReconcileChangedPlugin>;
  /**
   * Those of them whose content could not be brought; an older version may still be there and
   * active.
   */
  failedMaterializationRemotePluginIds: Array<string>;
  /** Remote ids of the plugins that could not be brought to what the account has. */
  failedRemotePluginIds: Array<string>;
  /**
   * Why each of them failed, and what else of the account's state could not be read. Not in the
   * reference.
   */
  problems: Array<Problem>;
};
