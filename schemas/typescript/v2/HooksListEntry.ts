// Generated from the protocol of plugd. Changes are overwritten.
import type { HookErrorInfo } from "./HookErrorInfo";
import type { HookMetadata } from "./HookMetadata";
import type { Problem } from "../plugd/Problem";

/** The hooks as seen from one directory. */
export type HooksListEntry = {
  /** The directory, as it was asked for. */
  cwd: string;
  /** What is wrong with files of the configuration. */
  errors: Array<HookErrorInfo>;
  /** The hooks, by plugin id. */
  hooks: Array<HookMetadata>;
  /** The same warnings and errors with their places. Not in the reference. */
  problems: Array<Problem>;
  /** What was left out and why, in texts for people. */
  warnings: Array<string>;
};
