// Generated from the protocol of plugd. Changes are overwritten.

/** Why no app was made from a template. */
export type AppTemplateUnavailableReason =
  /** The workspace has not set it up. */
  | "NOT_CONFIGURED_FOR_WORKSPACE"
  /** The account is in no workspace. */
  | "NO_ACTIVE_WORKSPACE";
