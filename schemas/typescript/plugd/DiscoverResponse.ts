// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "../serde_json/JsonValue";

/** Result of `rpc.discover`: an OpenRPC 1.3 document. */
export type DiscoverResponse = { [key in string]?: JsonValue };
