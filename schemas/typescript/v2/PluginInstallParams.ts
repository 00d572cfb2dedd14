// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugin/install`: a plugin's name and exactly one of the two marketplaces. */
export type PluginInstallParams = {
  /** An id that a client made up to recognise this attempt by. Accepted and not used. */
  installAttemptId?: string | null;
  /** The file of a local marketplace, as a listing shows it. */
  marketplacePath?: AbsolutePathBuf | null;
  /** The plugin's name, or its remote id with a remote marketplace. */
  pluginName: string;
  /** The name of a remote marketplace. */
  remoteMarketplaceName?: string | null;
};
