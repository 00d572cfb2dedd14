// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { TextRange } from "./TextRange";

/** Params of `configWarning`. */
export type ConfigWarningNotification = {
  /** More about it. */
  details: string | null;
  /** The file; omitted when it is no file's fault. */
  path?: AbsolutePathBuf;
  /** The place in the file; omitted when unknown. */
  range?: TextRange;
  /** What is wrong, in one line. */
  summary: string;
};
