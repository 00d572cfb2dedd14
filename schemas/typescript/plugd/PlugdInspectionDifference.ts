// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdBeforeAfter } from "./PlugdBeforeAfter";
import type { PlugdInspectionChange } from "./PlugdInspectionChange";

/** What the offered plugin would change, from the installed one's side. */
export type PlugdInspectionDifference = {
  /** Their size before and after. */
  bytes: PlugdBeforeAfter;
  /**
   * The changes, category by category in the order of the categories, then by name. Empty when
   * nothing differs.
   */
  changes: Array<PlugdInspectionChange>;
  /** How many files there are before and after. */
  files: PlugdBeforeAfter;
};
