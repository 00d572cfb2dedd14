// Generated from the protocol of plugd. Changes are overwritten.

/** The kind of marketplace that a plugin is bound to. */
export type PlugdBoundTo =
  /** The manifest of a directory of this machine. */
  | "manifest"
  /** A repository. */
  | "git"
  /** An artifact of an OCI registry. */
  | "oci"
  /** An archive behind an address. */
  | "archive"
  /** The curated marketplace. */
  | "curated"
  /** The remote catalog. */
  | "remote";
