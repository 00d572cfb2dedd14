// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdTaskEventState } from "./PlugdTaskEventState";
import type { PlugdTaskKind } from "./PlugdTaskKind";
import type { Problem } from "./Problem";

/** Params of `plugd/task`. */
export type PlugdTaskParams = {
  /** The same in all notifications about one run. */
  id: number;
  /** Which kind of work. */
  kind: PlugdTaskKind;
  /** A text for people. */
  message: string | null;
  /** Why it failed. */
  problem: Problem | null;
  /** How far it is. */
  state: PlugdTaskEventState;
};
