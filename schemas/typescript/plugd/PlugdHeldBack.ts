// Generated from the protocol of plugd. Changes are overwritten.

/** What of an installed plugin a host is not given. */
export type PlugdHeldBack = {
  /** The ids of its apps that are left out. */
  apps: Array<string>;
  /** The digest to approve. */
  digest: string | null;
  /**
   * Whether its programs and scripts are not to be run. Hooks and servers of a plugin run them,
   * so these are left out too.
   */
  executables: boolean;
  /** What a person can do about it. */
  hint: string;
  /** The keys of its hooks that are left out. */
  hooks: Array<string>;
  /** The names of its MCP servers that are left out. */
  mcpServers: Array<string>;
  /** Why: `untrustedMarketplace` or `wouldRun`. */
  reason: string;
};
