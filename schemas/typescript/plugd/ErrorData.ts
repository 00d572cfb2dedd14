// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { ConfigWriteErrorCode } from "./ConfigWriteErrorCode";
import type { ErrorKind } from "./ErrorKind";
import type { PlugdInspectionChange } from "./PlugdInspectionChange";

/**
 * The `data` of an error: always a kind, and beside it what a program can act on. Members
 * without a value are omitted.
 */
export type ErrorData = {
  /** The column in the file, in characters counted from 1. */
  column?: number;
  /** The reference's word for a refused configuration write. */
  config_write_error_code?: ConfigWriteErrorCode;
  /** The digest of the content that has to be approved. */
  digest?: string;
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
  /** When its age is no reason any more, in seconds since the epoch. */
  notBefore?: number;
  /** The file or directory it concerns. */
  path?: AbsolutePathBuf;
  /** The plugin it concerns: `name@marketplace`, or the name alone where no more is known. */
  plugin?: string;
  /**
   * Why something may not come, or not yet: `untrustedMarketplace`, `wouldRun`,
   * `commitTooYoung` or `commitAgeUnknown`.
   */
  reason?: string;
  /** Whether the same request may succeed later without a change. */
  retryable?: boolean;
  /**
   * The files, relative to the plugin, that declare what runs and could not be read or
   * understood.
   */
  unseen?: Array<string>;
  /** What of it would run that does not run now, as `plugd/update` tells it. */
  wouldRun?: Array<PlugdInspectionChange>;
};
