// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdGcKind } from "./PlugdGcKind";
import type { PlugdGcReason } from "./PlugdGcReason";

/** Something that nobody needs. */
export type PlugdGcChange = {
  /** How many bytes those have. */
  bytes: number;
  /** Whether it is gone, or would be; what stays is among the problems. */
  changed: boolean;
  /** How many things these are. */
  entries: number;
  /** How many files they have. */
  files: number;
  /** What it is. */
  kind: PlugdGcKind;
  /** The marketplace that it is about. */
  marketplaceName: string | null;
  /** Where it lies or lay; the directory, for things that are told together. */
  path: AbsolutePathBuf;
  /** The plugin that it is about. */
  pluginId: string | null;
  /** Why nobody needs it. */
  reason: PlugdGcReason;
  /** The digest that a tree was named by. */
  treeDigest: string | null;
};
