// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdApp } from "./PlugdApp";
import type { PlugdComponentPlugin } from "./PlugdComponentPlugin";
import type { PlugdHook } from "./PlugdHook";
import type { PlugdMcpServer } from "./PlugdMcpServer";
import type { PlugdShadowed } from "./PlugdShadowed";
import type { PlugdSkill } from "./PlugdSkill";
import type { PlugdSkillRoot } from "./PlugdSkillRoot";
import type { Problem } from "./Problem";

/**
 * Result of `plugd/components`: what is enabled and in effect. What is not, and why, is in
 * `shadowed` and `problems`.
 */
export type PlugdComponentsResponse = {
  /** The apps of the plugins. */
  apps: Array<PlugdApp>;
  /** The hooks of the plugins, by event within a plugin. Only those with `runs` may be run. */
  hooks: Array<PlugdHook>;
  /** What `plugd/release` takes; null without a lease. */
  leaseId: string | null;
  /**
   * The MCP servers of the plugins, ready to be started or called, disabled ones included. The
   * user's own are not among them: a host has read those from its configuration.
   */
  mcpServers: Array<PlugdMcpServer>;
  /** The plugins that count, by id. All other lists follow this order. */
  plugins: Array<PlugdComponentPlugin>;
  /** What was left out or ignored, and why. */
  problems: Array<Problem>;
  /** Components that another one of the same name keeps out. */
  shadowed: Array<PlugdShadowed>;
  /** The directories that skills come from, for a host that reads them itself. */
  skillRoots: Array<PlugdSkillRoot>;
  /** The skills, in the order of `skills/list`, disabled ones included. */
  skills: Array<PlugdSkill>;
};
