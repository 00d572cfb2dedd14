// Generated from the protocol of plugd. Changes are overwritten.
import type { InitializeCapabilities } from "../InitializeCapabilities";

/** What a language client passes on from its user's settings. */
export type InitializationOptions = {
  /** As `capabilities` beside it. */
  capabilities?: InitializeCapabilities | null;
};
