// Generated from the protocol of plugd. Changes are overwritten.

/** What is odd about an entry. */
export type PlugdOddityKind =
  /** A link to something in the plugin. */
  | "linkInside"
  /** A link that leaves the plugin. */
  | "linkOutside"
  /** A link that leads nowhere. */
  | "linkToNothing"
  /** A FIFO, socket or device. */
  | "special"
  /** A file that runs with the rights of its owner. */
  | "setUser"
  /** A directory of git's own data. */
  | "gitData"
  /** A name that is no text, or has control characters. */
  | "nameNotText"
  /** A name that differs from another only in case. */
  | "sameNameButCase";
