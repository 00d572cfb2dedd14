// Generated from the protocol of plugd. Changes are overwritten.

/** What brings a hook. */
export type HookSource =
  /** The configuration of the machine. */
  | "system"
  /** The configuration of the user. */
  | "user"
  /** The configuration of a project. */
  | "project"
  /** Device management. */
  | "mdm"
  /** The command line. */
  | "sessionFlags"
  /** A plugin. */
  | "plugin"
  /** Requirements from the network. */
  | "cloudRequirements"
  /** Managed configuration from the network. */
  | "cloudManagedConfig"
  /** The managed file. */
  | "legacyManagedConfigFile"
  /** The same from device management. */
  | "legacyManagedConfigMdm"
  /** Something else. */
  | "unknown";
