// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdInspectionChange } from "./PlugdInspectionChange";
import type { PlugdInspectionDifference } from "./PlugdInspectionDifference";
import type { PlugdPin } from "./PlugdPin";
import type { PlugdVersionReason } from "./PlugdVersionReason";
import type { Problem } from "./Problem";

/** What became of the version of a plugin. */
export type PlugdVersionChange = {
  /** Whether something changed, or in a dry run would. */
  changed: boolean;
  /**
   * What differs of what would run or be read by a model, as `plugd/inspect` tells it; omitted
   * where nothing was brought to be compared.
   */
  difference?: PlugdInspectionDifference;
  /** The version before: of the copy, for `plugd/pin` of the pin. Null when there was none. */
  from: string | null;
  /** The commit before, or the exact release of a registry. */
  fromCommit: string | null;
  /** The digest of the copy before. */
  fromDigest: string | null;
  /**
   * What of it lets the plugin do more: what is new and runs, reaches a server, reads a
   * variable or hides in a text, and a server or hook that does something else. Omitted with
   * `difference`.
   */
  grew?: Array<PlugdInspectionChange>;
  /** What it must stay at from now on; null when nothing holds it. */
  pin: PlugdPin | null;
  /** `name@marketplace`. */
  pluginId: string;
  /** What is wrong. */
  problems: Array<Problem>;
  /** Why, or why not. */
  reason: PlugdVersionReason;
  /** The version after; null when there is none, or nobody can know it without fetching. */
  to: string | null;
  /** The commit after. */
  toCommit: string | null;
  /** The digest of the copy after. */
  toDigest: string | null;
};
