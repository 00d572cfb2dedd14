// Generated from the protocol of plugd. Changes are overwritten.

/** What a line of the text about a plugin is about. */
export type PlugdMentionPartKind =
  /** Which plugin is meant. */
  | "plugin"
  /** Its skills. */
  | "skills"
  /** Its MCP servers. */
  | "mcpServers"
  /** Its apps. */
  | "apps"
  /** What to do with them. */
  | "request";
