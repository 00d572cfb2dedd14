// Generated from the protocol of plugd. Changes are overwritten.
import type { AllowedMarketplaceSource } from "./AllowedMarketplaceSource";

/** Which marketplaces are allowed. */
export type MarketplaceRequirements = {
  /** The sources that are allowed, by the name of the rule. */
  allowedSources: { [key in string]?: AllowedMarketplaceSource };
  /** Whether only the sources below are allowed. */
  restrictToAllowedSources: boolean;
};
