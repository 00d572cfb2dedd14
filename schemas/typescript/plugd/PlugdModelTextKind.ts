// Generated from the protocol of plugd. Changes are overwritten.

/** What a text is to a model. */
export type PlugdModelTextKind =
  /** The manifest, with descriptions. */
  | "manifest"
  /** A `SKILL.md`. */
  | "skill"
  /** What is shown of a skill. */
  | "skillMetadata"
  /** A text beside a skill, which the skill may tell a model to read. */
  | "skillReference"
  /** A command. */
  | "command";
