// Generated from the protocol of plugd. Changes are overwritten.

/** Why a kept version is not needed. */
export type PlugdGcReason =
  /** No installed plugin names it. */
  | "unnamed"
  /** The plugins that name it have newer ones, and enough of them. */
  | "tooMany"
  /** It is a copy of what is installed, made for a lease that is over. */
  | "copyOfInstalled";
