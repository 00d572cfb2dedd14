// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { SkillInterface } from "./SkillInterface";

/** A skill. */
export type SkillSummary = {
  /** When to use it, in the words of its author. */
  description: string;
  /** Whether the configuration leaves it enabled. */
  enabled: boolean;
  /** How it wants to be shown. */
  interface: SkillInterface | null;
  /** `plugin:skill`. */
  name: string;
  /** Its `SKILL.md`; null for a remote one. */
  path: AbsolutePathBuf | null;
  /** One line for people. */
  shortDescription: string | null;
};
