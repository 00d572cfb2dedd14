// Generated from the protocol of plugd. Changes are overwritten.

/** Why a configuration write was refused, in the reference's words. */
export type ConfigWriteErrorCode =
  /** The layer cannot be written, or the file is not the user's. */
  | "configLayerReadonly"
  /** The file is not at the version that the client expected. */
  | "configVersionConflict"
  /** The key path or the value is not valid, or the file is broken. */
  | "configValidationError"
  /** The key path names nothing. */
  | "configPathNotFound"
  /** The key is not known. */
  | "configSchemaUnknownKey"
  /** There is no user layer. */
  | "userLayerNotFound";
