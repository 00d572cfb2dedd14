// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "./serde_json/JsonValue";
import type { PlugdClientCapabilities } from "./plugd/PlugdClientCapabilities";

/**
 * What a client can do and wants. The members that say so are accepted because clients of the
 * reference send them, and change nothing here.
 */
export type InitializeCapabilities = {
  /** Changes nothing: no method or member is kept back from anybody. */
  experimentalApi?: boolean | null;
  /** Changes nothing. */
  explicitGatewayOauth?: boolean | null;
  /** Changes nothing. */
  extensions?: { [key in string]?: JsonValue } | null;
  /** Changes nothing. */
  mcpServerOpenaiFormElicitation?: boolean | null;
  /** Names of notifications that are not to be sent on this connection. Unknown names are fine. */
  optOutNotificationMethods?: Array<string> | null;
  /** What a client wants from this server beyond the reference. */
  plugd?: PlugdClientCapabilities | null;
  /** Changes nothing. */
  requestAttestation?: boolean | null;
  /** Changes nothing. */
  requiredHumanApproval?: boolean | null;
};
