// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdInstructionsPartKind } from "./PlugdInstructionsPartKind";

/** A block of the text. */
export type PlugdInstructionsPart = {
  /** What it is about. */
  kind: PlugdInstructionsPartKind;
  /** The block. */
  text: string;
};
