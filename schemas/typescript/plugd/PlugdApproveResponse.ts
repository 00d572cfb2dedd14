// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdApproval } from "./PlugdApproval";
import type { PlugdApprovalChange } from "./PlugdApprovalChange";
import type { PlugdWaiting } from "./PlugdWaiting";
import type { Problem } from "./Problem";

/** Result of `plugd/approve`. */
export type PlugdApproveResponse = {
  /** Everything that is approved from now on, by plugin; in a dry run, what is. */
  approvals: Array<PlugdApproval>;
  /** What changed, or would; empty for a list. */
  changes: Array<PlugdApprovalChange>;
  /** Whether nothing was written. */
  dryRun: boolean;
  /** What of the record could not be understood. */
  problems: Array<Problem>;
  /** What background work left where it is, because nobody has approved it. */
  waiting: Array<PlugdWaiting>;
};
