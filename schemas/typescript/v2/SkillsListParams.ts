// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `skills/list`. */
export type SkillsListParams = {
  /**
   * The directories to look from. Absent or empty means the server's own; a relative one is
   * meant from there, and one that does not exist has the skills of the user.
   */
  cwds?: Array<string> | null;
  /** Whether to read all files again instead of what is remembered of them. */
  forceReload?: boolean | null;
};
