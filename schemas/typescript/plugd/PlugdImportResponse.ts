// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdSyncChange } from "./PlugdSyncChange";
import type { Problem } from "./Problem";

/** Result of `plugd/import`. */
export type PlugdImportResponse = {
  /** Every marketplace and every plugin of the archive, each sorted by name. */
  changes: Array<PlugdSyncChange>;
  /** Whether nothing was done because that was asked for. */
  dryRun: boolean;
  /** The archive. */
  path: AbsolutePathBuf;
  /** What is not as it should be and did no harm. */
  problems: Array<Problem>;
  /** Its SHA-256, 64 hexadecimal digits. */
  sha256: string;
};
