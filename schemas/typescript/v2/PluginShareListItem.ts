// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PluginSummary } from "./PluginSummary";

/** A plugin that this account shares. */
export type PluginShareListItem = {
  /**
   * The directory on this machine that it was shared from or checked out to; null when it is
   * not known here.
   */
  localPluginPath: AbsolutePathBuf | null;
  /** The row that a listing shows. */
  plugin: PluginSummary;
};
