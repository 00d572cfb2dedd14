// Generated from the protocol of plugd. Changes are overwritten.

/** Why a plugin moved, would move, or stays. */
export type PlugdVersionReason =
  /** It is what it should be. */
  | "current"
  /** A higher semantic version. */
  | "newer"
  /** A lower semantic version. */
  | "older"
  /** Another version, and nobody can say which is the later one. */
  | "other"
  /** The same version with other content, or from another commit. */
  | "content"
  /** There is no copy. */
  | "missing"
  /** A kept version came back. */
  | "rolledBack"
  /** It has another pin. */
  | "pinned"
  /** It has no pin any more. */
  | "unpinned"
  /** A pin holds it. */
  | "heldByPin"
  /** More would run, and nobody has confirmed that. */
  | "needsConfirmation"
  /** It may come only after somebody has approved exactly that, with `plugd/approve`. */
  | "approvalNeeded"
  /** Its commit is younger than is asked for. */
  | "commitTooYoung"
  /** Its marketplace hands it out no more. */
  | "policy"
  /** Another program has put its own copy there. */
  | "drift"
  /** Nothing offers it where it came from. */
  | "noSource"
  /** It could not be compared or brought. */
  | "failed";
