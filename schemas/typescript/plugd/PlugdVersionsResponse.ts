// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdPluginVersions } from "./PlugdPluginVersions";
import type { Problem } from "./Problem";

/** Result of `plugd/versions`. */
export type PlugdVersionsResponse = {
  /** The plugins, sorted by id. */
  plugins: Array<PlugdPluginVersions>;
  /** What stands among the installed plugins and is none. */
  problems: Array<Problem>;
};
