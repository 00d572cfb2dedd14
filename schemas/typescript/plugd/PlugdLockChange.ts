// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdLockReason } from "./PlugdLockReason";

/** A block of a lock: of a marketplace or of a plugin. */
export type PlugdLockChange = {
  /** Whether it is another one than before. */
  changed: boolean;
  /** What it said: the version of a plugin, the address of a marketplace. Null when it is new. */
  from: string | null;
  /** The name, when it is that of a marketplace. */
  marketplaceName?: string;
  /** `name@marketplace`, when it is that of a plugin. */
  pluginId?: string;
  /** Why. */
  reason: PlugdLockReason;
  /** What it says; null when it has gone. */
  to: string | null;
};
