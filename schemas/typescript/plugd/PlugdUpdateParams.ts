// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdConfirm } from "./PlugdConfirm";

/** Params of `plugd/update`. */
export type PlugdUpdateParams = {
  /** What to be asked about before it comes; absent means nothing. */
  confirm?: PlugdConfirm | null;
  /**
   * The `toDigest` of rows with the reason `needsConfirmation` that somebody has agreed to.
   * What has changed since has another digest, and is asked about again.
   */
  confirmed?: Array<string> | null;
  /**
   * Whether to only tell what would change. What lies elsewhere is fetched for that and not
   * kept.
   */
  dryRun?: boolean | null;
  /** `name@marketplace` of the plugin; without it, all that are installed. */
  pluginId?: string | null;
};
