// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginSharePrincipalRole } from "./PluginSharePrincipalRole";
import type { PluginSharePrincipalType } from "./PluginSharePrincipalType";

/** Somebody who may do something with a shared plugin. */
export type PluginSharePrincipal = {
  /** The name for people. */
  name: string;
  /** The id. */
  principalId: string;
  /** What kind of somebody. */
  principalType: PluginSharePrincipalType;
  /** What the principal may do. */
  role: PluginSharePrincipalRole;
};
