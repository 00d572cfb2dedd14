// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdLinkChange } from "./PlugdLinkChange";
import type { Problem } from "./Problem";

/** Result of `plugd/link`. */
export type PlugdLinkResponse = {
  /** The links that are others than before; the one that was asked for first. */
  changes: Array<PlugdLinkChange>;
  /** Whether nothing was written. */
  dryRun: boolean;
  /** The directory. */
  path: AbsolutePathBuf;
  /** The plugin that the directory stands in for. */
  pluginId: string;
  /** What is wrong with the plugin's manifest. */
  problems: Array<Problem>;
};
