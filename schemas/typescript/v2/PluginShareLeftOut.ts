// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginShareLeftOutReason } from "./PluginShareLeftOutReason";

/** A file or directory that stays on this machine when its plugin is shared. */
export type PluginShareLeftOut = {
  /**
   * Its path below the plugin's directory, with `/` between the names. A directory stands for
   * all that is in it.
   */
  path: string;
  /** Why it stays. */
  reason: PluginShareLeftOutReason;
};
