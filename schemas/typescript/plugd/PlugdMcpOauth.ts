// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "../serde_json/JsonValue";

/** How a user signs in at an MCP server. */
export type PlugdMcpOauth = {
  /** The port at which the client waits for the browser. */
  callbackPort: number | null;
  /** The client's id at the authorisation server. */
  clientId: string | null;
  /** All that the plugin says, as written. */
  declared: { [key in string]?: JsonValue };
};
