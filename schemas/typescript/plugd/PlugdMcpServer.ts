// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "../serde_json/JsonValue";
import type { PlugdMcpOauth } from "./PlugdMcpOauth";
import type { PlugdMcpTransport } from "./PlugdMcpTransport";
import type { PlugdNeededEnv } from "./PlugdNeededEnv";
import type { PlugdToolApproval } from "./PlugdToolApproval";

/**
 * An MCP server of a plugin. Its plugin's directories are put in, and what the configuration
 * lays over it is counted. What depends on the user's variables is in `neededEnv`: no value is
 * made up.
 */
export type PlugdMcpServer = {
  /** Who is asked before a tool runs; null leaves it to the host. */
  defaultToolsApprovalMode: PlugdToolApproval | null;
  /** Tools that are not offered, also when they are among the enabled ones. */
  disabledTools: Array<string>;
  /** Whether it is to be started at all. */
  enabled: boolean;
  /** The only tools to offer; null means all. */
  enabledTools: Array<string> | null;
  /** Members of its declaration that nobody here reads, as written. */
  extra: { [key in string]?: JsonValue };
  /** Its name. No other server in effect has the same. */
  name: string;
  /** The user's variables that a host looks up before it starts or calls the server. */
  neededEnv: Array<PlugdNeededEnv>;
  /** How a user signs in, as far as the plugin says. */
  oauth: PlugdMcpOauth | null;
  /** That plugin's name for people. */
  pluginDisplayName: string;
  /** The plugin that brings it. */
  pluginId: string;
  /** Whether a session without it makes no sense, as the plugin says. */
  required: boolean;
  /** The scopes to ask for at sign-in. */
  scopes: Array<string>;
  /** How long the start may take, in milliseconds; null leaves it to the host. */
  startupTimeoutMs: number | null;
  /** How long one call may take, in milliseconds; null leaves it to the host. */
  toolTimeoutMs: number | null;
  /** The same for single tools. */
  toolsApprovalMode: { [key in string]?: PlugdToolApproval };
  /** How it is reached. */
  transport: PlugdMcpTransport;
  /** That plugin's version. */
  version: string;
};
