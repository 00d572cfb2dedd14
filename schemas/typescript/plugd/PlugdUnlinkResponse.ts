// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdLinkChange } from "./PlugdLinkChange";

/** Result of `plugd/unlink`. */
export type PlugdUnlinkResponse = {
  /** The links that ended. */
  changes: Array<PlugdLinkChange>;
  /** Whether nothing was written. */
  dryRun: boolean;
  /** The directory. */
  path: AbsolutePathBuf;
  /** The plugin that the directory stood in for. */
  pluginId: string;
};
