// Generated from the protocol of plugd. Changes are overwritten.
import type { Problem } from "../plugd/Problem";

/** Result of `plugin/share/delete`. */
export type PluginShareDeleteResponse = {
  /** What went wrong beside the share itself, which is gone. Not in the reference. */
  problems: Array<Problem>;
};
