// Generated from the protocol of plugd. Changes are overwritten.

/** What a principal may do. */
export type PluginSharePrincipalRole =
  /** Install it. */
  | "reader"
  /** Change it too. */
  | "editor"
  /** Give it away too. */
  | "owner";
