// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugin/uninstall`. */
export type PluginUninstallParams = {
  /** `name@marketplace`, or the remote id of a plugin from the remote catalog. */
  pluginId: string;
};
