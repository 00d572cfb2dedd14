// Generated from the protocol of plugd. Changes are overwritten.
import type { ConfigLayerMetadata } from "./ConfigLayerMetadata";
import type { JsonValue } from "../serde_json/JsonValue";

/** What is in effect instead of what was written. */
export type OverriddenMetadata = {
  /** Its value. */
  effectiveValue: JsonValue;
  /** A text for people. */
  message: string;
  /** The layer that wins. */
  overridingLayer: ConfigLayerMetadata;
};
