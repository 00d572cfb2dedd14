// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/**
 * Params of `plugd/inspect`: one way to name a plugin. These are `marketplacePath` or
 * `remoteMarketplaceName` with `pluginName`; `pluginId`; `path`.
 */
export type PlugdInspectParams = {
  /** The file of the marketplace that offers it. */
  marketplacePath?: AbsolutePathBuf | null;
  /** The directory of a plugin. */
  path?: AbsolutePathBuf | null;
  /** `name@marketplace`, installed or offered. */
  pluginId?: string | null;
  /** The name of its entry in the marketplace; the remote plugin id of a remote one. */
  pluginName?: string | null;
  /** The remote marketplace that offers it. */
  remoteMarketplaceName?: string | null;
};
