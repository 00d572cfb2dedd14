// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PluginListMarketplaceKind } from "./PluginListMarketplaceKind";

/** Params of `plugin/list`. */
export type PluginListParams = {
  /**
   * Directories whose repositories may hold marketplaces. Without them there are those of the
   * home directory, of the configuration and the curated one.
   */
  cwds?: Array<AbsolutePathBuf> | null;
  /**
   * Whether to fetch the remote catalog anew before answering, however fresh what is remembered
   * of it is, as newer clients ask for it. When that fails, what is remembered is answered with
   * a row in `marketplaceLoadErrors`. It also asks for a look at the curated repository in the
   * background, however short the last is ago.
   */
  forceRefetch?: boolean | null;
  /**
   * Whether to bring the curated plugins to the state of the account before answering, as older
   * clients ask for it: what is installed, enabled, disabled and removed there is so here too.
   * When that fails, `remoteSyncError` says why and nothing is lost. It also does what
   * `forceRefetch` does.
   */
  forceRemoteSync?: boolean | null;
  /**
   * Which kinds of marketplaces to answer. Absent means the local ones and the default remote
   * catalog; an empty list means none. Naming one that needs a login is refused without it.
   */
  marketplaceKinds?: Array<PluginListMarketplaceKind> | null;
};
