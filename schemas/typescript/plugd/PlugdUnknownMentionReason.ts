// Generated from the protocol of plugd. Changes are overwritten.

/** Why a mention leads to nothing. */
export type PlugdUnknownMentionReason =
  /** It is no id of a plugin. */
  | "badId"
  /** No plugin of that id or name is installed. */
  | "notInstalled"
  /** The plugin is switched off. */
  | "disabled"
  /** The plugin is there and cannot be loaded. */
  | "broken"
  /** The plugin has nothing that a model could use. */
  | "empty"
  /** Several plugins have this name. */
  | "ambiguous";
