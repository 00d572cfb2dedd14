// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Something wrong with a file of the configuration. */
export type HookErrorInfo = {
  /** A text for people. */
  message: string;
  /** The file. */
  path: AbsolutePathBuf;
};
