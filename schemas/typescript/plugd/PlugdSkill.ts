// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { SkillDependencies } from "../v2/SkillDependencies";
import type { SkillInterface } from "../v2/SkillInterface";
import type { SkillScope } from "../v2/SkillScope";

/** A skill with everything that a host needs to offer it. */
export type PlugdSkill = {
  /** Whether a model may use it unasked. Otherwise it waits until a person names it. */
  allowImplicitInvocation: boolean;
  /** What it needs. */
  dependencies: SkillDependencies | null;
  /** When to use it, in the words of its author. */
  description: string;
  /** Whether the configuration leaves it enabled. */
  enabled: boolean;
  /** How it wants to be shown. */
  interface: SkillInterface | null;
  /** Its name; that of a skill of a plugin is `plugin:skill`. */
  name: string;
  /** Its `SKILL.md`. */
  path: AbsolutePathBuf;
  /** That plugin's name for people. */
  pluginDisplayName: string | null;
  /** The plugin that brings it; null for any other. */
  pluginId: string | null;
  /** Whose it is. */
  scope: SkillScope;
  /** One line for people. */
  shortDescription: string | null;
  /** That plugin's version. */
  version: string | null;
};
