// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdPin } from "./PlugdPin";
import type { PlugdVersion } from "./PlugdVersion";
import type { PlugdVersionOrder } from "./PlugdVersionOrder";
import type { Problem } from "./Problem";

/** The versions of a plugin that are on this machine. */
export type PlugdPluginVersions = {
  /** What the rows are sorted by, the latest first. */
  orderedBy: PlugdVersionOrder;
  /** What it must stay at; null when nothing holds it. */
  pin: PlugdPin | null;
  /** `name@marketplace`. */
  pluginId: string;
  /** What is wrong with its record. */
  problems: Array<Problem>;
  /** The installed version and those that are kept. */
  versions: Array<PlugdVersion>;
};
