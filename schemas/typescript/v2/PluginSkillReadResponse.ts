// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Result of `plugin/skill/read`. */
export type PluginSkillReadResponse = {
  /** The text of its `SKILL.md`; null when the remote catalog has none. */
  contents: string | null;
  /** That file; null for a remote one. Not in the reference. */
  path: AbsolutePathBuf | null;
};
