// Generated from the protocol of plugd. Changes are overwritten.
import type { RequestId } from "../RequestId";

/** Params of `$/cancel_request` and `notifications/cancelled`. */
export type CancelByRequestIdParams = {
  /** Why; only for the log. */
  reason?: string | null;
  /** The id of the request. */
  requestId: RequestId;
};
