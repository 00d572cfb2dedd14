// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/export`. */
export type PlugdExportParams = {
  /** Write over a file that is there. */
  force?: boolean | null;
  /** A lock whose plugins are meant; each has to be installed as it says. */
  lockPath?: AbsolutePathBuf | null;
  /** The archive to write. Its directory has to be there. */
  path: AbsolutePathBuf;
  /** The plugins, as `name@marketplace`; without them, all that are installed and switched on. */
  plugins?: Array<string> | null;
};
