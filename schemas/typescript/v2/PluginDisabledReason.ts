// Generated from the protocol of plugd. Changes are overwritten.

/** Why the remote catalog withholds a plugin. */
export type PluginDisabledReason =
  /** An administrator forbids it. */
  | "disabled_by_admin"
  /** The plan does not include it. */
  | "plan_not_eligible"
  /** An app that it needs is not there. */
  | "required_app_unavailable"
  /** The catalog gives a reason that is not known here. */
  | "unknown";
