// Generated from the protocol of plugd. Changes are overwritten.
import type { SkillToolDependency } from "./SkillToolDependency";

/** What a skill needs. */
export type SkillDependencies = {
  /** The tools. */
  tools: Array<SkillToolDependency>;
};
