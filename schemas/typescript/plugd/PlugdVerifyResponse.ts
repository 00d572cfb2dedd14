// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdVerifiedPlugin } from "./PlugdVerifiedPlugin";
import type { Problem } from "./Problem";

/** Result of `plugd/verify`. */
export type PlugdVerifyResponse = {
  /** Whether every copy is exactly what is recorded about it. */
  matches: boolean;
  /** The copies, sorted by id. */
  plugins: Array<PlugdVerifiedPlugin>;
  /** What stands among the installed plugins and is none. */
  problems: Array<Problem>;
};
