// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugin/installed`. */
export type PluginInstalledParams = {
  /** Directories whose repositories may hold marketplaces. */
  cwds?: Array<AbsolutePathBuf> | null;
  /** Names of plugins to answer too when they are offered and not installed. */
  installSuggestionPluginNames?: Array<string> | null;
};
