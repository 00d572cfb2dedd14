// Generated from the protocol of plugd. Changes are overwritten.
import type { HooksListEntry } from "./HooksListEntry";

/** Result of `hooks/list`. */
export type HooksListResponse = {
  /** An entry for each directory, in the order of the request. */
  data: Array<HooksListEntry>;
};
