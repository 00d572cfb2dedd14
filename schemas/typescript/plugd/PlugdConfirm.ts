// Generated from the protocol of plugd. Changes are overwritten.

/** What an update has to be asked about. */
export type PlugdConfirm =
  /** A plugin that could do more than before: `grew` is not empty, or cannot be told. */
  | "capabilities";
