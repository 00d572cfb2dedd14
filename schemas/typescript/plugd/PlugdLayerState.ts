// Generated from the protocol of plugd. Changes are overwritten.

/** How fresh a layer is. */
export type PlugdLayerState =
  /** At the last look it held what the layer before it holds. */
  | "fresh"
  /** It is known to be older than the layer before it. */
  | "stale"
  /** Nobody has looked, or the last look failed. */
  | "unknown"
  /** It is switched off, or not part of this build. */
  | "off";
