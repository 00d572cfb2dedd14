// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdPluginOutcomeKind } from "./PlugdPluginOutcomeKind";
import type { Problem } from "./Problem";

/** What background work did with a plugin. */
export type PlugdPluginOutcome = {
  /** The version before; null when nothing was installed. */
  from: string | null;
  /** What was done. */
  outcome: PlugdPluginOutcomeKind;
  /** `name@marketplace`. */
  pluginId: string;
  /** Why it failed or was held back. */
  problem: Problem | null;
  /** The version after, or the one that is held back; null when there is none. */
  to: string | null;
};
