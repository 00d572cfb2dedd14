// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** A file of hooks that could not be read. */
export type HookErrorInfo = {
  /** A text for people. */
  message: string;
  /** The file. */
  path: AbsolutePathBuf;
};
