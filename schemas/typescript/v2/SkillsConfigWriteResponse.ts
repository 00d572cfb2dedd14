// Generated from the protocol of plugd. Changes are overwritten.

/** Result of `skills/config/write`. It is on disk when this is sent. */
export type SkillsConfigWriteResponse = {
  /**
   * Whether the skill is enabled now, all rules counted. It differs from what was asked for
   * where another rule decides.
   */
  effectiveEnabled: boolean;
};
