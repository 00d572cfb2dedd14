// Generated from the protocol of plugd. Changes are overwritten.

/** An app that a plugin uses. */
export type AppSummary = {
  /** The shelf it stands on. */
  category: string | null;
  /** What it is. */
  description: string | null;
  /** Its id. */
  id: string;
  /** Where to connect it. */
  installUrl: string | null;
  /** Its name for people. */
  name: string;
};
