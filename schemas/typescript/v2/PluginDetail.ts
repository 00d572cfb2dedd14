// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { AppSummary } from "./AppSummary";
import type { AppTemplateSummary } from "./AppTemplateSummary";
import type { PluginHookSummary } from "./PluginHookSummary";
import type { PluginSummary } from "./PluginSummary";
import type { ScheduledTaskSummary } from "./ScheduledTaskSummary";
import type { SkillSummary } from "./SkillSummary";

/**
 * A plugin with everything that is inside it. Components are read from the source where it is a
 * local directory, else from the installed copy; without either the lists are empty.
 */
export type PluginDetail = {
  /** The app templates of a remote plugin. */
  appTemplates: Array<AppTemplateSummary>;
  /** The apps it uses. */
  apps: Array<AppSummary>;
  /** What it is, in the words of its author. */
  description: string | null;
  /** The hooks it declares. */
  hooks: Array<PluginHookSummary>;
  /** The marketplace it is offered by. */
  marketplaceName: string;
  /** The file of that marketplace; null for a remote one. */
  marketplacePath: AbsolutePathBuf | null;
  /** The names of its MCP servers, sorted. */
  mcpServers: Array<string>;
  /** The skill it wants a new user to begin with; null unless it is installed and enabled. */
  onboardingSkill: SkillSummary | null;
  /** The scheduled tasks of a remote plugin; null for a local one. */
  scheduledTasks: Array<ScheduledTaskSummary> | null;
  /** A link to it, where it is shared. */
  shareUrl: string | null;
  /** Its skills. */
  skills: Array<SkillSummary>;
  /** The row that a listing shows. */
  summary: PluginSummary;
};
