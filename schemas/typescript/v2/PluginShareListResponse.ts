// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginShareListItem } from "./PluginShareListItem";
import type { Problem } from "../plugd/Problem";

/** Result of `plugin/share/list`. */
export type PluginShareListResponse = {
  /** What this account shares, in the order of the service. */
  data: Array<PluginShareListItem>;
  /**
   * What could not be read and is therefore missing or incomplete in `data`. Not in the
   * reference, where one bad item spoils the whole list.
   */
  problems: Array<Problem>;
};
