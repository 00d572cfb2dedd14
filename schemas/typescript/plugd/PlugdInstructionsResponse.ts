// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdInstructionsPart } from "./PlugdInstructionsPart";
import type { PlugdLeftOut } from "./PlugdLeftOut";
import type { Problem } from "./Problem";

/** Result of `plugd/instructions`: what to tell a model about the plugins and skills there are. */
export type PlugdInstructionsResponse = {
  /** The budget that held. */
  budget: number;
  /** How many characters it has: never more than the budget. */
  characters: number;
  /** What the budget had no room for. The descriptions of skills are shortened first. */
  leftOut: Array<PlugdLeftOut>;
  /** The blocks of that text one by one, for a host that puts them together itself. */
  parts: Array<PlugdInstructionsPart>;
  /** What of the configuration cannot be used, so that something may be missing. */
  problems: Array<Problem>;
  /** The whole text; empty when there is nothing to tell. */
  text: string;
};
