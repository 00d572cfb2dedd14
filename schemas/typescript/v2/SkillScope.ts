// Generated from the protocol of plugd. Changes are overwritten.

/** Whose a skill is. */
export type SkillScope =
  /** The user's, also those of plugins. */
  | "user"
  /** The repository's. */
  | "repo"
  /** Brought along by the reference. */
  | "system"
  /** The administrator's. */
  | "admin";
