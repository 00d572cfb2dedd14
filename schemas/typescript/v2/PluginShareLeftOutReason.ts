// Generated from the protocol of plugd. Changes are overwritten.

/** Why something is not shared. */
export type PluginShareLeftOutReason =
  /** The data of a version control system. */
  | "versionControl"
  /** What the file manager of a system left behind. */
  | "systemFile"
  /** What an editor or a merge left behind. */
  | "editorFile"
  /** Its name says that it holds a password, a key or a token. */
  | "secret"
  /** A link to something that is left out itself. */
  | "linkToLeftOut"
  /** A link that leads out of the plugin. */
  | "linkOutside"
  /** A link to nothing, or to a directory that it stands in. */
  | "brokenLink"
  /** A name that not every system can hold. */
  | "badName";
