// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `skills/extraRoots/set`. */
export type SkillsExtraRootsSetParams = {
  /** Directories of skills for this process, instead of those that were set before. */
  extraRoots: Array<AbsolutePathBuf>;
};
