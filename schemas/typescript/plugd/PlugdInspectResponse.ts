// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdInspection } from "./PlugdInspection";
import type { PlugdInspectionDifference } from "./PlugdInspectionDifference";
import type { PlugdLinked } from "./PlugdLinked";
import type { PlugdTrust } from "./PlugdTrust";
import type { Problem } from "./Problem";

/** Result of `plugd/inspect`. Nothing was started, and nothing is installed by it. */
export type PlugdInspectResponse = {
  /** What the offered one would change; null unless both are there. */
  difference: PlugdInspectionDifference | null;
  /** Its name for people; its plain name when it has no other. */
  displayName: string;
  /** The installed copy; null when there is none. */
  installed: PlugdInspection | null;
  /** The working tree that stands in for it, which is then what is offered here. */
  linked: PlugdLinked | null;
  /** What an install would bring; null when nobody offers it any more or it cannot be had. */
  offered: PlugdInspection | null;
  /** `name@marketplace`; null for a directory that no marketplace offers. */
  pluginId: string | null;
  /** Why one of the two is not there. */
  problems: Array<Problem>;
  /**
   * Whether the offered one may come, and the digest to approve; null where `[trust]` asks for
   * nothing.
   */
  trust: PlugdTrust | null;
};
