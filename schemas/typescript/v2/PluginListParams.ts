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
   * Whether to fetch the remote catalog anew, as newer clients ask for it. Until there is one,
   * it asks for a look at the curated repository in the background, however short the last is
   * ago.
   */
  forceRefetch?: boolean | null;
  /**
   * Whether to reconcile with the remote catalog before answering, as older clients ask for it.
   * Until there is one, it does what `forceRefetch` does.
   */
  forceRemoteSync?: boolean | null;
  /**
   * Which kinds of marketplaces to answer. Absent means the local ones and the default remote
   * catalog; an empty list means none.
   */
  marketplaceKinds?: Array<PluginListMarketplaceKind> | null;
};
