// Generated from the protocol of plugd. Changes are overwritten.

/** A version that another one has replaced. */
export type PlugdReplaced = {
  /** The digest of its copy. */
  treeDigest: string;
  /** Its version. */
  version: string;
};
