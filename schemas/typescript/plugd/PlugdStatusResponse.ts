// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdLayer } from "./PlugdLayer";
import type { PlugdTask } from "./PlugdTask";
import type { Problem } from "./Problem";

/** Result of `plugd/status`. */
export type PlugdStatusResponse = {
  /** The home directory that everything is about. */
  home: AbsolutePathBuf;
  /** Each layer between the catalog and the installed copies, the farthest first. */
  layers: Array<PlugdLayer>;
  /** What is wrong with the home directory and its configuration as a whole. */
  problems: Array<Problem>;
  /** Every kind of background work that this process knows, with its last run. */
  tasks: Array<PlugdTask>;
  /** The version of the program. */
  version: string;
};
