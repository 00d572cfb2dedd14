// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginShareDiscoverability } from "./PluginShareDiscoverability";
import type { PluginSharePrincipal } from "./PluginSharePrincipal";

/** How a plugin is shared. */
export type PluginShareContext = {
  /** Whether this account may offer it to the whole workspace. */
  canPublishToWorkspace: boolean | null;
  /** The account that shared it. */
  creatorAccountUserId: string | null;
  /** The person who shared it. */
  creatorName: string | null;
  /** Who can find it. */
  discoverability: PluginShareDiscoverability | null;
  /** The id that the remote catalog knows it by. */
  remotePluginId: string;
  /** The version that is shared. */
  remoteVersion: string | null;
  /** Who may read, edit or own it. */
  sharePrincipals: Array<PluginSharePrincipal> | null;
  /** A link to it. */
  shareUrl: string | null;
};
