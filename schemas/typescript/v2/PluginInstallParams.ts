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
  /**
   * The branch or tag to bring, of a source that is a git repository. The commit that it means
   * is pinned. Not in the reference.
   */
  ref?: string | null;
  /** The name of a remote marketplace. */
  remoteMarketplaceName?: string | null;
  /** The commit to bring and pin, of a source that is a git repository. Not in the reference. */
  sha?: string | null;
  /**
   * The version to bring: what the source offers, a release of a registry, or one that is kept.
   * What came is pinned. At most one of `version`, `ref` and `sha`; none of them for a plugin
   * of the remote catalog. Not in the reference.
   */
  version?: string | null;
};
