// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/instructions`. */
export type PlugdInstructionsParams = {
  /** How many characters the text may have; absent means 8000. */
  budget?: number | null;
  /** The directory that the host works in. Absent means none: then no repository's skills count. */
  cwd?: AbsolutePathBuf | null;
};
