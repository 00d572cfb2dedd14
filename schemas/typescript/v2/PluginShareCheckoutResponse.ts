// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { Problem } from "../plugd/Problem";

/** Result of `plugin/share/checkout`. The working copy is on disk when this is sent. */
export type PluginShareCheckoutResponse = {
  /**
   * Whether the working copy is new; false when there was one, which is then untouched. Not in
   * the reference.
   */
  changed: boolean;
  /** The marketplace of the home directory that it was put into. */
  marketplaceName: string;
  /** The file of that marketplace. */
  marketplacePath: AbsolutePathBuf;
  /** `name@marketplace` of the working copy. */
  pluginId: string;
  /** Its name. */
  pluginName: string;
  /** Its directory. */
  pluginPath: AbsolutePathBuf;
  /** What went wrong beside the working copy itself, which stands. Not in the reference. */
  problems: Array<Problem>;
  /** The share. */
  remotePluginId: string;
  /** The version that the service offers. An older working copy is left as it is. */
  remoteVersion: string | null;
};
