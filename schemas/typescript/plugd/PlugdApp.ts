// Generated from the protocol of plugd. Changes are overwritten.

/** An app that a plugin uses. */
export type PlugdApp = {
  /** The shelf it stands on. */
  category: string | null;
  /** Its id. */
  id: string;
  /** What the plugin calls it. */
  label: string;
  /** That plugin's name for people. */
  pluginDisplayName: string;
  /** The plugin that uses it. */
  pluginId: string;
  /** That plugin's version. */
  version: string;
};
