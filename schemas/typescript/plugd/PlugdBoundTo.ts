// Generated from the protocol of plugd. Changes are overwritten.

/** The kind of marketplace that a plugin is bound to. */
export type PlugdBoundTo =
  /** The manifest of a directory of this machine. */
  | "manifest"
  /** A repository. */
  | "git"
  /** The curated marketplace. */
  | "curated"
  /** The remote catalog. */
  | "remote";
