// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdSyncReason } from "./PlugdSyncReason";

/** What happened to a marketplace or a plugin of a lock. */
export type PlugdSyncChange = {
  /** Whether something had to happen. */
  changed: boolean;
  /**
   * What was there: the version of a plugin, the address of a marketplace; null when nothing
   * was.
   */
  from: string | null;
  /** The name, when it is a marketplace. */
  marketplaceName?: string;
  /** `name@marketplace`, when it is a plugin. */
  pluginId?: string;
  /** What. */
  reason: PlugdSyncReason;
  /** What the lock names. */
  to: string;
};
