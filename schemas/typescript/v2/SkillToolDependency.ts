// Generated from the protocol of plugd. Changes are overwritten.

/** A tool that a skill needs. */
export type SkillToolDependency = {
  /** What starts it; omitted when the skill does not say. */
  command?: string;
  /** What for; omitted when the skill does not say. */
  description?: string;
  /** How it is reached; omitted when the skill does not say. */
  transport?: string;
  /** What kind of tool, such as `mcp`. */
  type: string;
  /** Where it is; omitted when the skill does not say. */
  url?: string;
  /** Which one. */
  value: string;
};
