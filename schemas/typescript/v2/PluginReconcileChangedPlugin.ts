// Generated from the protocol of plugd. Changes are overwritten.

/**
 * A plugin that is not what it was. Each flag says that components of that kind may have
 * changed with it: they are declared by what was there before or by what is there now.
 */
export type PluginReconcileChangedPlugin = {
  /** Whether apps are concerned. */
  hasApps: boolean;
  /** Whether hooks are concerned. */
  hasHooks: boolean;
  /** Whether MCP servers are concerned. */
  hasMcps: boolean;
  /** Whether skills are concerned. */
  hasSkills: boolean;
  /** `name@marketplace`. */
  id: string;
};
