// Generated from the protocol of plugd. Changes are overwritten.

/** A number before and after. */
export type PlugdBeforeAfter = {
  /** Of the installed plugin. */
  from: number;
  /** Of the offered one. */
  to: number;
};
