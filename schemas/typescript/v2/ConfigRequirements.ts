// Generated from the protocol of plugd. Changes are overwritten.
import type { JsonValue } from "../serde_json/JsonValue";
import type { MarketplaceRequirements } from "../plugd/MarketplaceRequirements";

/**
 * What the organisation requires. Members about things that this server has no part in, such as
 * models, sandboxes and approvals, are null unless they are passed on from the requirements
 * file.
 */
export type ConfigRequirements = {
  /** Features that are switched on or off for everybody; null when none is. */
  featureRequirements: { [key in string]?: boolean } | null;
  /** Which marketplaces are allowed; null when all are. Not in the reference. */
  marketplaces: MarketplaceRequirements | null;
} & { [key in string]?: JsonValue };
