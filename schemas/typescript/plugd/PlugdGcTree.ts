// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdGcReason } from "./PlugdGcReason";

/** A kept version that nobody needs. */
export type PlugdGcTree = {
  /** Its size. */
  bytes: number;
  /** Its directory. */
  path: AbsolutePathBuf;
  /** Why nobody needs it. */
  reason: PlugdGcReason;
  /** The digest of its content, `sha256:` and 64 hexadecimal digits. */
  treeDigest: string;
};
