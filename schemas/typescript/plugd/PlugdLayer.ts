// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdLayerKind } from "./PlugdLayerKind";
import type { PlugdLayerState } from "./PlugdLayerState";

/** A layer that can be older than the one before it. */
export type PlugdLayer = {
  /** When it was last compared with the layer before it, in seconds since 1970; null for never. */
  checkedAt: number | null;
  /** Which layer. */
  kind: PlugdLayerKind;
  /** Why the last look failed, or why the layer is off; null when there is nothing to say. */
  message: string | null;
  /** The plugins and marketplaces of this layer that are known to be stale. */
  stale: Array<string>;
  /** How fresh it is. */
  state: PlugdLayerState;
};
