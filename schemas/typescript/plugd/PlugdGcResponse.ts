// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdGcChange } from "./PlugdGcChange";
import type { PlugdGcMirror } from "./PlugdGcMirror";
import type { PlugdGcTotal } from "./PlugdGcTotal";
import type { PlugdGcTree } from "./PlugdGcTree";
import type { Problem } from "./Problem";

/**
 * Result of `plugd/gc`: what was removed, or in a dry run would be. What a living process uses,
 * a pin names or the settings keep is never among it.
 */
export type PlugdGcResponse = {
  /** Everything that was removed or would be, what stands above included, by kind and path. */
  changes: Array<PlugdGcChange>;
  /** How many leases of dead processes there were. */
  deadLeases: number;
  /** Whether nothing was removed. */
  dryRun: boolean;
  /** All bytes together. Files that a file system shares count in each copy. */
  freedBytes: number;
  /** All files together. */
  freedFiles: number;
  /**
   * Copies of repositories that no configured marketplace and no installed plugin names, by
   * path. They save fetching twice and nothing else.
   */
  mirrors: Array<PlugdGcMirror>;
  /** What could not be understood or removed. */
  problems: Array<Problem>;
  /** Bytes of what interrupted processes had half made. */
  stagingBytes: number;
  /** The same in numbers, for each kind of which there is anything. */
  totals: Array<PlugdGcTotal>;
  /** Bytes of what interrupted processes had half removed. */
  trashBytes: number;
  /** Kept versions that nobody needs, by digest. */
  trees: Array<PlugdGcTree>;
};
