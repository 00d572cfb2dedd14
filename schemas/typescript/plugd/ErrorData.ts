// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { ConfigWriteErrorCode } from "./ConfigWriteErrorCode";
import type { ErrorKind } from "./ErrorKind";

/**
 * The `data` of an error: always a kind, and beside it what a program can act on. Members
 * without a value are omitted.
 */
export type ErrorData = {
  /** The column in the file, in characters counted from 1. */
  column?: number;
  /** The reference's word for a refused configuration write. */
  config_write_error_code?: ConfigWriteErrorCode;
  /** The member of the params or of the file. */
  field?: string;
  /** What a person can do about it. */
  hint?: string;
  /** The machine that was asked, such as `github.com`. */
  host?: string;
  /** What went wrong. */
  kind: ErrorKind;
  /** The line in the file, counted from 1. */
  line?: number;
  /** The marketplace it concerns. */
  marketplace?: string;
  /** The file or directory it concerns. */
  path?: AbsolutePathBuf;
  /** The plugin it concerns: `name@marketplace`, or the name alone where no more is known. */
  plugin?: string;
  /** Whether the same request may succeed later without a change. */
  retryable?: boolean;
};
