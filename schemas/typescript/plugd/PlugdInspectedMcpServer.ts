// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdInspectedTransport } from "./PlugdInspectedTransport";

/** An MCP server that a plugin would start or call, as it is written. */
export type PlugdInspectedMcpServer = {
  /** Whether the plugin wants it started. */
  enabled: boolean;
  /** Its name. */
  name: string;
  /** Why no host can ever start or call it; null for one that can work. */
  obstacle: string | null;
  /** How it is reached. */
  transport: PlugdInspectedTransport;
};
