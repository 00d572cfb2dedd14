// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginDetail } from "./PluginDetail";

/** Result of `plugin/read`. */
export type PluginReadResponse = {
  /** The plugin. */
  plugin: PluginDetail;
};
