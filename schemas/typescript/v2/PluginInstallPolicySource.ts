// Generated from the protocol of plugd. Changes are overwritten.

/** Who decided on the install policy of a remote plugin. */
export type PluginInstallPolicySource =
  /** A setting of the workspace. */
  | "WORKSPACE_SETTING"
  /** The app that it belongs to. */
  | "IMPLICIT_CANONICAL_APP";
