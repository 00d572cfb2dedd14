// Generated from the protocol of plugd. Changes are overwritten.
import type { ProgressToken } from "./ProgressToken";

/** Params of `notifications/progress`. */
export type ProgressNotificationParams = {
  /** The step that is being done; omitted when there is nothing to say. */
  message?: string;
  /** How much is done; it never goes down. */
  progress: number;
  /** The `_meta.progressToken` of the request. */
  progressToken: ProgressToken;
  /** How much there is to do; omitted when unknown. */
  total?: number;
};
