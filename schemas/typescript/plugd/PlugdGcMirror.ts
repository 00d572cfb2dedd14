// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** A copy of a repository that nothing names. */
export type PlugdGcMirror = {
  /** Its size. */
  bytes: number;
  /** Its directory. */
  path: AbsolutePathBuf;
};
