// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginBinding } from "./PluginBinding";

/** A change of the source that an installed plugin is bound to. */
export type PluginRebinding = {
  /** What it was bound to. */
  from: PluginBinding;
  /** What it is bound to now. */
  to: PluginBinding;
};
