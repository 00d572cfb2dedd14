// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/**
 * The working tree that stands in for a plugin. It is used where it lies and may change at any
 * time.
 */
export type PlugdLinked = {
  /** The directory. */
  path: AbsolutePathBuf;
};
