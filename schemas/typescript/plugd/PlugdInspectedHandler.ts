// Generated from the protocol of plugd. Changes are overwritten.

/** What a hook does, as it is written. */
export type PlugdInspectedHandler =
  /** It runs a command. */
  | {
    /** The command. */
    command: string;
    /** The command on Windows, where it is another one. */
    commandWindows: string | null;
    type: "command";
  }
  /** It calls a tool of an MCP server. */
  | {
    /** The server. */
    server: string;
    /** The tool. */
    tool: string;
    type: "mcpTool";
  }
  /** It asks a model. */
  | {
    type: "prompt";
  }
  /** It starts an agent. */
  | {
    type: "agent";
  };
