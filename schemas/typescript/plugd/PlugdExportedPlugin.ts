// Generated from the protocol of plugd. Changes are overwritten.

/** A plugin in an archive. */
export type PlugdExportedPlugin = {
  /** How many bytes those have. */
  bytes: number;
  /** How many files are in the archive. */
  files: number;
  /** `name@marketplace`. */
  pluginId: string;
  /** The digest of its content in the archive: what its source had. */
  sourceDigest: string;
  /** The digest of what its installation left on disk. */
  treeDigest: string;
  /** Its version. */
  version: string;
};
