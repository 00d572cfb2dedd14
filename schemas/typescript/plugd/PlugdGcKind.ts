// Generated from the protocol of plugd. Changes are overwritten.

/** What kind of thing nobody needs. */
export type PlugdGcKind =
  /** A kept or leased version. */
  | "tree"
  /** What interrupted operations had half made. */
  | "staging"
  /** What they had half removed. */
  | "trash"
  /** Leases of dead processes. */
  | "lease"
  /** What is recorded of a plugin. */
  | "record"
  /** A file that was never finished. */
  | "halfWritten"
  /** A copy of a repository. */
  | "mirror"
  /** The checkout of a git marketplace. */
  | "checkout"
  /** A file of the remote catalog. */
  | "catalog";
