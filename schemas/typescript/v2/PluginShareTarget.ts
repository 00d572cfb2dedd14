// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginSharePrincipalType } from "./PluginSharePrincipalType";
import type { PluginShareTargetRole } from "./PluginShareTargetRole";

/** Somebody who is to be given something with a share. */
export type PluginShareTarget = {
  /** The id. */
  principalId: string;
  /** What kind of somebody. The whole workspace is reached by `discoverability` instead. */
  principalType: PluginSharePrincipalType;
  /** What the principal may do. */
  role: PluginShareTargetRole;
};
