// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PluginSource } from "../v2/PluginSource";

/** The source that an installed plugin is bound to. Updates come from there and nowhere else. */
export type PluginBinding = {
  /** The file of the marketplace, where that is a local one. */
  marketplacePath: AbsolutePathBuf | null;
  /** The branch or tag of that repository. */
  marketplaceRef: string | null;
  /** The repository of the marketplace, where that comes from git, or its artifact or archive. */
  marketplaceUrl: string | null;
  /** The source that the entry named; null when it was not recorded. */
  source: PluginSource | null;
};
