// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdExecutableKind } from "./PlugdExecutableKind";

/** A file that can run. */
export type PlugdExecutable = {
  /** Its size. */
  bytes: number;
  /** What runs a script; null for other programs. */
  interpreter: string | null;
  /** What kind of program it is. */
  kind: PlugdExecutableKind;
  /** Whether it is marked as executable. Otherwise something has to be asked to run it. */
  marked: boolean;
  /** Where it lies, relative to the plugin. */
  path: string;
};
