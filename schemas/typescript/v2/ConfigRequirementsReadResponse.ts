// Generated from the protocol of plugd. Changes are overwritten.
import type { ConfigRequirements } from "./ConfigRequirements";

/** Result of `configRequirements/read`. */
export type ConfigRequirementsReadResponse = {
  /** What is required; null when there are no requirements. */
  requirements: ConfigRequirements | null;
  /** Concerns models, about which this server knows nothing: null. */
  supportsIndependentSpeedModes: boolean | null;
};
