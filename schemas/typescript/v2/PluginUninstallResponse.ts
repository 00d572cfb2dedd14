// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdLinked } from "../plugd/PlugdLinked";

/** Result of `plugin/uninstall`. */
export type PluginUninstallResponse = {
  /** Whether there was anything to remove. Not in the reference. */
  changed: boolean;
  /**
   * The working tree that stands in for the plugin. It stays as it is, and linked. Not in the
   * reference.
   */
  linked: PlugdLinked | null;
};
