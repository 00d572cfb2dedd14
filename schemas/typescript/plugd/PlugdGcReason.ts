// Generated from the protocol of plugd. Changes are overwritten.

/** Why something is not needed. Those of kept versions are the first three. */
export type PlugdGcReason =
  /** No installed plugin names it. */
  | "unnamed"
  /** The plugins that name it have newer ones, and enough of them. */
  | "tooMany"
  /** It is a copy of what is installed, made for a lease that is over. */
  | "copyOfInstalled"
  /** The process that it belonged to is gone. */
  | "dead"
  /** Its plugin is neither installed nor configured nor pinned. */
  | "notInstalled"
  /** No configuration, entry or record names its source. */
  | "notNamed"
  /** No configuration has a marketplace of its name. */
  | "notConfigured"
  /** It is not of the login of this home, and was not written for 30 days. */
  | "unused";
