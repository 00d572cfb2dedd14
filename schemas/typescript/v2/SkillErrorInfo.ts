// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** A skill that cannot be used. */
export type SkillErrorInfo = {
  /** A text for people. */
  message: string;
  /** Its `SKILL.md`. */
  path: AbsolutePathBuf;
};
