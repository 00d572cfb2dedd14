// Generated from the protocol of plugd. Changes are overwritten.

/** The kinds of components of which one name can be used only once. */
export type PlugdShadowedKind =
  /** An MCP server. */
  | "mcpServer"
  /** An app, by its id. */
  | "app";
