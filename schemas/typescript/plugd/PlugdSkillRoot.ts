// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { SkillScope } from "../v2/SkillScope";

/** A directory of skills. */
export type PlugdSkillRoot = {
  /** The directory. */
  path: AbsolutePathBuf;
  /** The plugin it belongs to; null for any other. */
  pluginId: string | null;
  /** Whose it is. */
  scope: SkillScope;
};
