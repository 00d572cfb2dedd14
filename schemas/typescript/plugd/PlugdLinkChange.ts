// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdLinkReason } from "./PlugdLinkReason";

/** A link that came, went, or leads elsewhere. */
export type PlugdLinkChange = {
  /** Whether the two differ. */
  changed: boolean;
  /** The directory before; null when there was no link. */
  from: AbsolutePathBuf | null;
  /** `name@marketplace`. */
  pluginId: string;
  /** Why. */
  reason: PlugdLinkReason;
  /** The directory after; null when there is no link any more. */
  to: AbsolutePathBuf | null;
};
