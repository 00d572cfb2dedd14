// Generated from the protocol of plugd. Changes are overwritten.

/** The kinds of background work. */
export type PlugdTaskKind =
  /** Brings installed copies to what their sources hold, and repairs missing ones. */
  | "refresh"
  /** Brings the curated marketplace to what its repository holds. */
  | "curatedSync"
  /** Brings installed copies to what the account of the remote catalog has. */
  | "remoteSync"
  /** Cleans up what an interrupted process left. */
  | "recovery";
