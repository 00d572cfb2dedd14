// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "../serde_json/JsonValue";

/** What a hook does, with everything put in that does not depend on the user. */
export type PlugdHookHandler =
  /** It runs a command in a shell, with the plugin's directories in its environment. */
  | {
    /** Whether nobody waits for it. */
    async: boolean;
    /** The command for this system. */
    command: string;
    /** Variables that it gets besides those of the host. */
    env: { [key in string]?: string };
    type: "command";
  }
  /** It calls a tool of an MCP server. */
  | {
    /** What the tool is called with. */
    input: { [key in string]?: JsonValue };
    /** The server. */
    server: string;
    /** The tool. */
    tool: string;
    type: "mcpTool";
  };
