// Generated from the protocol of plugd. Changes are overwritten.

/** Why a block of a lock is as it is. */
export type PlugdLockReason =
  /** It is new. */
  | "added"
  /** It names another version. */
  | "moved"
  /** The version is the same, and source or content are not. */
  | "replaced"
  /** Nothing of that is installed or switched on. */
  | "removed"
  /** It says what it said. */
  | "unchanged";
