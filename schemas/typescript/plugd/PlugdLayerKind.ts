// Generated from the protocol of plugd. Changes are overwritten.

/** The layers, the farthest first. */
export type PlugdLayerKind =
  /** What is remembered of the remote catalog. */
  | "remote"
  /** The checkouts of marketplaces: the curated snapshot, and the configured git marketplaces. */
  | "catalogClone"
  /** The installed plugins. */
  | "installedCopy";
