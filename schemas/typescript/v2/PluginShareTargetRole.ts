// Generated from the protocol of plugd. Changes are overwritten.

/** What can be given to somebody. */
export type PluginShareTargetRole =
  /** To install it. */
  | "reader"
  /** To change it too. */
  | "editor";
