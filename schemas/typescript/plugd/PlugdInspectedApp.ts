// Generated from the protocol of plugd. Changes are overwritten.

/** An app that a plugin uses. */
export type PlugdInspectedApp = {
  /** Its id. */
  id: string;
  /** What the plugin calls it. */
  label: string;
};
