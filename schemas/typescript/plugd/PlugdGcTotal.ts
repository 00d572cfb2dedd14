// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdGcKind } from "./PlugdGcKind";

/** Everything of one kind. */
export type PlugdGcTotal = {
  /** How many bytes those have. */
  bytes: number;
  /** How many things. */
  entries: number;
  /** How many files they have. */
  files: number;
  /** The kind. */
  kind: PlugdGcKind;
};
