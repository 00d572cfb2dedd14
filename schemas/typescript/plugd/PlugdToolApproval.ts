// Generated from the protocol of plugd. Changes are overwritten.

/** Who is asked before a tool runs. */
export type PlugdToolApproval =
  /** The host decides. */
  | "auto"
  /** The user, each time. */
  | "prompt"
  /** The user, for tools that change something. */
  | "writes"
  /** Nobody. */
  | "approve";
