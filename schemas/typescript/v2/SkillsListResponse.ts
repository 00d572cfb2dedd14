// Generated from the protocol of plugd. Changes are overwritten.
import type { SkillsListEntry } from "./SkillsListEntry";

/** Result of `skills/list`. */
export type SkillsListResponse = {
  /** An entry for each directory, in the order of the request. */
  data: Array<SkillsListEntry>;
};
