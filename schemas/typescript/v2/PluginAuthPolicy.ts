// Generated from the protocol of plugd. Changes are overwritten.

/** When the apps of a plugin ask for their login. */
export type PluginAuthPolicy =
  /** Right after the installation. */
  | "ON_INSTALL"
  /** At the first use. */
  | "ON_USE";
