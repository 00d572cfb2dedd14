// Generated from the protocol of plugd. Changes are overwritten.
import type { ConfigLayerSource } from "./ConfigLayerSource";

/** Which layer a value comes from. */
export type ConfigLayerMetadata = {
  /** Which one. */
  name: ConfigLayerSource;
  /** A digest of its content. */
  version: string;
};
