// Generated from the protocol of plugd. Changes are overwritten.

/** Result of `plugin/uninstall`. */
export type PluginUninstallResponse = {
  /** Whether there was anything to remove. Not in the reference. */
  changed: boolean;
};
