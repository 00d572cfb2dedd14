// Generated from the protocol of plugd. Changes are overwritten.
import type { ConfigLayerSource } from "./ConfigLayerSource";
import type { JsonValue } from "../serde_json/JsonValue";

/** A layer of the configuration. */
export type ConfigLayer = {
  /** Its content. */
  config: JsonValue;
  /** Why it does not count, such as a project that is not trusted; omitted when it counts. */
  disabledReason?: string;
  /** Which one. */
  name: ConfigLayerSource;
  /** A digest of its content. */
  version: string;
};
