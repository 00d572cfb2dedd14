// Generated from the protocol of plugd. Changes are overwritten.

/**
 * Params of `plugd/pin`. At most one of `version`, `commit`, `digest` and `none`; without any
 * of them the plugin is pinned to exactly what is installed.
 */
export type PlugdPinParams = {
  /** The commit of the installed version, or its beginning; for a registry, the exact release. */
  commit?: string | null;
  /** The digest of the installed copy, or its beginning. */
  digest?: string | null;
  /** Whether to only tell what would change. */
  dryRun?: boolean | null;
  /** Whether to remove the pin. */
  none?: boolean | null;
  /** `name@marketplace`. */
  pluginId: string;
  /** The installed version. Its content may change with its source, under the same version. */
  version?: string | null;
};
