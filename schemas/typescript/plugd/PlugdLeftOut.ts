// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdLeftOutKind } from "./PlugdLeftOutKind";

/** Something that the budget had no room for. */
export type PlugdLeftOut = {
  /** What it is. */
  kind: PlugdLeftOutKind;
  /** The id of the plugin or the name of the skill. */
  name: string;
};
