// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { Severity } from "../plugd/Severity";

/**
 * Something about a marketplace that could not be read or used: a problem, with the members
 * `marketplacePath` and `message` that clients of the reference know. The others are ours.
 */
export type MarketplaceLoadErrorInfo = {
  /** The column in characters, counted from 1; omitted when unknown. */
  column?: number;
  /** The member it speaks of, such as `plugins[3].policy`; omitted when unknown. */
  field?: string;
  /**
   * A stable word to tell problems apart by. New words may come; treat an unknown one by its
   * severity.
   */
  kind: string;
  /** The line, counted from 1; omitted when unknown. */
  line?: number;
  /**
   * The file of the marketplace; without one the configuration file or the directory of the
   * request that named it.
   */
  marketplacePath: AbsolutePathBuf;
  /** A text for people. */
  message: string;
  /** The file or directory it was found in; omitted when unknown. */
  path?: AbsolutePathBuf;
  /** How bad it is. */
  severity: Severity;
};
