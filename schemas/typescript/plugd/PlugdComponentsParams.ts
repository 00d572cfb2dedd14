// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/components`. */
export type PlugdComponentsParams = {
  /** The directory that the host works in. Absent means none: then no repository's skills count. */
  cwd?: AbsolutePathBuf | null;
  /**
   * Whether to keep everything that the answer names as it is, until `plugd/release`, the end
   * of the connection or that of the process. Without it the paths are those of the installed
   * copies, which the next update replaces.
   */
  lease?: boolean | null;
};
