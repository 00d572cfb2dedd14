// Generated from the protocol of plugd. Changes are overwritten.

/** A day of the week. */
export type ScheduledTaskWeekday =
  /** Monday. */
  | "MO"
  /** Tuesday. */
  | "TU"
  /** Wednesday. */
  | "WE"
  /** Thursday. */
  | "TH"
  /** Friday. */
  | "FR"
  /** Saturday. */
  | "SA"
  /** Sunday. */
  | "SU";
