// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/**
 * Params of `plugin/skill/read`: `skillName` and one way to name the plugin. These are
 * `remoteMarketplaceName` with `remotePluginId`, as in the reference; `marketplacePath` with
 * `pluginName`, for what a marketplace of this machine offers; `pluginId`, for what is
 * installed.
 */
export type PluginSkillReadParams = {
  /** The file of a marketplace of this machine. Not in the reference. */
  marketplacePath?: AbsolutePathBuf | null;
  /** An installed plugin, as `name@marketplace`. Not in the reference. */
  pluginId?: string | null;
  /** The name of the plugin's entry in it. Not in the reference. */
  pluginName?: string | null;
  /** The remote marketplace. */
  remoteMarketplaceName?: string | null;
  /** The id that the remote catalog knows the plugin by. */
  remotePluginId?: string | null;
  /** The skill, with or without the name of the plugin in front. */
  skillName: string;
};
