// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdOddityKind } from "./PlugdOddityKind";

/** An entry that is no plain file or directory, or that not every system can hold. */
export type PlugdOddity = {
  /** What is odd about it. */
  kind: PlugdOddityKind;
  /** Where it lies, relative to the plugin. */
  path: string;
};
