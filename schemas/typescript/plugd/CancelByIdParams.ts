// Generated from the protocol of plugd. Changes are overwritten.
import type { RequestId } from "../RequestId";

/** Params of `$/cancelRequest`. */
export type CancelByIdParams = {
  /** The id of the request. */
  id: RequestId;
};
