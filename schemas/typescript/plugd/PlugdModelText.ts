// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdModelTextKind } from "./PlugdModelTextKind";

/** A text that a model reads. */
export type PlugdModelText = {
  /** Its size. */
  bytes: number;
  /** What it is. */
  kind: PlugdModelTextKind;
  /** Where it lies, relative to the plugin. */
  path: string;
};
