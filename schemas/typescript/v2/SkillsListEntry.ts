// Generated from the protocol of plugd. Changes are overwritten.
import type { Problem } from "../plugd/Problem";
import type { SkillErrorInfo } from "./SkillErrorInfo";
import type { SkillMetadata } from "./SkillMetadata";

/** The skills as seen from one directory. */
export type SkillsListEntry = {
  /** The directory, as it was asked for. */
  cwd: string;
  /** The skills that cannot be used. */
  errors: Array<SkillErrorInfo>;
  /**
   * The same errors with their places, and everything else that was left out or ignored. Not in
   * the reference.
   */
  problems: Array<Problem>;
  /**
   * The skills: by scope (`repo`, `user`, `system`, `admin`), then by name, then by path. Those
   * of plugins are among the user's.
   */
  skills: Array<SkillMetadata>;
};
