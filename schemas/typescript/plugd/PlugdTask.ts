// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdPluginOutcome } from "./PlugdPluginOutcome";
import type { PlugdTaskKind } from "./PlugdTaskKind";
import type { PlugdTaskOutcome } from "./PlugdTaskOutcome";
import type { PlugdTaskState } from "./PlugdTaskState";
import type { Problem } from "./Problem";

/** A kind of background work with its last run. */
export type PlugdTask = {
  /** When the last finished run ended, in seconds since 1970; null for never. */
  finishedAt: number | null;
  /** Which kind. */
  kind: PlugdTaskKind;
  /** A text for people about the last finished run. */
  message: string | null;
  /** How the last finished run went; null when there was none. */
  outcome: PlugdTaskOutcome | null;
  /** What the last finished run did with each plugin. */
  plugins: Array<PlugdPluginOutcome>;
  /** Why the last finished run failed. */
  problem: Problem | null;
  /** When the last run began, in seconds since 1970; null for never. */
  startedAt: number | null;
  /** Whether it runs now. */
  state: PlugdTaskState;
};
