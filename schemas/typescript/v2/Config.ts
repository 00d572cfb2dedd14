// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "../serde_json/JsonValue";

/**
 * The merged configuration, with the keys of the file. Keys that this server does not know pass
 * through; its own settings stand below `plugd`.
 */
export type Config = { [key in string]?: JsonValue };
