// Generated from the protocol of plugd. Changes are overwritten.

/** What can change between two versions of a plugin. */
export type PlugdInspectionCategory =
  /** An MCP server, by name. */
  | "mcpServer"
  /** A hook, by key. */
  | "hook"
  /** An app, by id. */
  | "app"
  /** An executable, by path. */
  | "executable"
  /** The name of an environment variable. */
  | "environment"
  /** A text for a model, by path. */
  | "text"
  /** Hidden characters, by text and kind. */
  | "hiddenCharacters"
  /** A licence: the one that is named under the empty name, and files by path. */
  | "licence"
  /** An oddity, by path. */
  | "oddity"
  /** A file that no other category names, by path. */
  | "file";
