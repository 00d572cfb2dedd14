// Generated from the protocol of plugd. Changes are overwritten.
import type { Config } from "./Config";
import type { ConfigLayer } from "./ConfigLayer";
import type { ConfigLayerMetadata } from "./ConfigLayerMetadata";

/** Result of `config/read`. */
export type ConfigReadResponse = {
  /** All layers merged, the higher over the lower. */
  config: Config;
  /** The layers, the highest first; omitted unless asked for. */
  layers?: Array<ConfigLayer>;
  /** The layer that each value comes from, by its dotted key path. */
  origins: { [key in string]?: ConfigLayerMetadata };
};
