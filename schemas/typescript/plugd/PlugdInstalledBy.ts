// Generated from the protocol of plugd. Changes are overwritten.

/** Who made a copy what it is. */
export type PlugdInstalledBy =
  /** A request. */
  | "request"
  /** The refresh in the background, or the upgrade of a marketplace. */
  | "refresh"
  /** The account of the remote catalog, or the curated snapshot. */
  | "sync"
  /** A lockfile. */
  | "lock"
  /** An archive that was exported elsewhere. */
  | "import"
  /** Another program; its copy was taken over as it was. */
  | "adopted";
