// Generated from the protocol of plugd. Changes are overwritten.
import type { ProgressToken } from "./ProgressToken";
import type { WorkDoneProgress } from "./WorkDoneProgress";

/** Params of `$/progress`. */
export type ProgressParams = {
  /** The `workDoneToken` of the request. */
  token: ProgressToken;
  /** How far it is. */
  value: WorkDoneProgress;
};
