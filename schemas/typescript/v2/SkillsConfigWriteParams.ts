// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `skills/config/write`: exactly one of `path` and `name`. */
export type SkillsConfigWriteParams = {
  /** Whether it is to be enabled. */
  enabled: boolean;
  /** The name of the skill, as listed. */
  name?: string | null;
  /**
   * The `SKILL.md` of the skill. For a skill of an installed plugin the rule is written by
   * name, so that it outlives the version.
   */
  path?: AbsolutePathBuf | null;
};
