// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdShadowedKind } from "./PlugdShadowedKind";

/** A component that another one of the same name keeps out. */
export type PlugdShadowed = {
  /** What kind of component. */
  kind: PlugdShadowedKind;
  /** The plugin whose component does not. */
  loser: string;
  /** The name that both have. */
  name: string;
  /** The plugin whose component counts; null when it is the user's own. */
  winner: string | null;
};
