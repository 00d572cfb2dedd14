// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/**
 * Params of `plugd/approve`: `pluginId`, or `marketplacePath` with `pluginName`. Without a
 * plugin the answer only lists.
 */
export type PlugdApproveParams = {
  /** Whether it may come however young its commit is. What an organisation asks for stays. */
  anyAge?: boolean | null;
  /** Who says yes, for the record. */
  by?: string | null;
  /**
   * The digest of the content that was shown, in full. Without it a dry run tells what would
   * come and its digest; anything else is refused, because a yes is to what was shown.
   */
  digest?: string | null;
  /** Whether to only tell what would change. */
  dryRun?: boolean | null;
  /** The manifest that offers it. */
  marketplacePath?: AbsolutePathBuf | null;
  /** `name@marketplace` of the plugin. */
  pluginId?: string | null;
  /** Its name there. */
  pluginName?: string | null;
  /** Whether to take approvals back: that of `digest`, else all of the plugin. */
  revoke?: boolean | null;
};
