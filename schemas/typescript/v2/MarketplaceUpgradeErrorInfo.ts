// Generated from the protocol of plugd. Changes are overwritten.
import type { ErrorData } from "../plugd/ErrorData";

/**
 * A marketplace that could not be brought to what its source holds, or a plugin of it that
 * could not follow, which the data names then.
 */
export type MarketplaceUpgradeErrorInfo = {
  /** What a program can act on, as in the `data` of an error. Not in the reference. */
  data: ErrorData;
  /** Its name. */
  marketplaceName: string;
  /** A text for people. */
  message: string;
};
