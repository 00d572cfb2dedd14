// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { SkillDependencies } from "./SkillDependencies";
import type { SkillInterface } from "./SkillInterface";
import type { SkillScope } from "./SkillScope";

/** A skill in a listing. */
export type SkillMetadata = {
  /** What it needs; omitted when it does not say. */
  dependencies?: SkillDependencies;
  /** When to use it, in the words of its author. */
  description: string;
  /** Whether the configuration leaves it enabled. */
  enabled: boolean;
  /** How it wants to be shown; omitted when it does not say. */
  interface?: SkillInterface;
  /** Its name; that of a skill of a plugin is `plugin:skill`. Two files may have the same one. */
  name: string;
  /** Its `SKILL.md`. That of a plugin lies in the installed copy. */
  path: AbsolutePathBuf;
  /** The plugin that brings it, as `name@marketplace`; null for any other. */
  pluginId: string | null;
  /** Whose it is. */
  scope: SkillScope;
  /** One line for people, from `SKILL.md`; omitted without one. The one of `interface` is newer. */
  shortDescription?: string;
};
