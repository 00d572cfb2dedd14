// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugin/read`: a plugin's name and exactly one of the two marketplaces. */
export type PluginReadParams = {
  /** The file of a local marketplace, as a listing shows it. */
  marketplacePath?: AbsolutePathBuf | null;
  /** The plugin's name, or its remote id with a remote marketplace. */
  pluginName: string;
  /** The name of a remote marketplace. */
  remoteMarketplaceName?: string | null;
};
