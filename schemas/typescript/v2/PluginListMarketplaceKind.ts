// Generated from the protocol of plugd. Changes are overwritten.

/** The kinds of marketplaces that a listing can be narrowed to. */
export type PluginListMarketplaceKind =
  /** Those of this machine. */
  | "local"
  /** The public collection of the remote catalog that is shown where the default one is off. */
  | "vertical"
  /** What the workspace offers its members. */
  | "workspace-directory"
  /** What others shared with this account. */
  | "shared-with-me"
  /** What this account made. */
  | "created-by-me-remote";
