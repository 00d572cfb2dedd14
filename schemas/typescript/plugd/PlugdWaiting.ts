// Generated from the protocol of plugd. Changes are overwritten.
import type { Problem } from "./Problem";

/** What background work left where it is. */
export type PlugdWaiting = {
  /** The installed version; null when there is no copy. */
  from: string | null;
  /** `name@marketplace`. */
  pluginId: string;
  /** Why it waits; its kind is `approvalNeeded` or `commitTooYoung`. */
  problem: Problem;
  /** The version that was offered, where that is known. */
  to: string | null;
};
