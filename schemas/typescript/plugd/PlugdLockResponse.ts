// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdLockChange } from "./PlugdLockChange";
import type { Problem } from "./Problem";

/** Result of `plugd/lock`. */
export type PlugdLockResponse = {
  /**
   * Every block of the lock, and those that have gone from it: marketplaces, then plugins, each
   * sorted by name.
   */
  changes: Array<PlugdLockChange>;
  /** Whether nothing was written because that was asked for. */
  dryRun: boolean;
  /** The lock. */
  path: AbsolutePathBuf;
  /**
   * What is installed and not in the lock, with the reason, and what holds on this machine
   * only.
   */
  problems: Array<Problem>;
};
