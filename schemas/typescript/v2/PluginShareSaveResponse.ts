// Generated from the protocol of plugd. Changes are overwritten.
import type { PluginShareLeftOut } from "./PluginShareLeftOut";
import type { Problem } from "../plugd/Problem";

/** Result of `plugin/share/save`. */
export type PluginShareSaveResponse = {
  /** Whether this account may offer it to the whole workspace. */
  canPublishToWorkspace: boolean | null;
  /** What was not sent, in the order of the paths. Not in the reference, which sends everything. */
  leftOut: Array<PluginShareLeftOut>;
  /** What went wrong beside the share itself, which stands. Not in the reference. */
  problems: Array<Problem>;
  /** The id that the remote catalog knows the share by. */
  remotePluginId: string;
  /** A link to it; empty when the service gives none. */
  shareUrl: string;
};
