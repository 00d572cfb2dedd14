// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PluginSearchScope } from "./PluginSearchScope";

/** Params of `plugin/search`. */
export type PluginSearchParams = {
  /** The `nextCursor` of the answer before this one. */
  cursor?: string | null;
  /** Directories whose repositories may hold marketplaces. */
  cwds?: Array<AbsolutePathBuf> | null;
  /**
   * At most so many results. 0 counts as 1, and more than 1,000 as 1,000. When absent, 100 from
   * this machine and as many from the remote catalog as it likes.
   */
  limit?: number | null;
  /** Which part of the world to search; absent means all of it. */
  scope?: PluginSearchScope | null;
  /** What to look for. Case and punctuation do not count; a blank term finds nothing. */
  searchTerm: string;
};
