// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { Problem } from "./Problem";

/** An installed copy, compared with what is recorded about it. */
export type PlugdVerifiedPlugin = {
  /** Files that were not there. */
  added: Array<string>;
  /**
   * Files with other content, or with another right to be executed; relative to `path`, with
   * `/`.
   */
  changed: Array<string>;
  /** The digest of what is there; null when it cannot be read. */
  foundDigest: string | null;
  /**
   * Whether it is exactly what is recorded. False, too, when nothing is recorded about it, or
   * it cannot be read.
   */
  matches: boolean;
  /** Files that are gone. */
  missing: Array<string>;
  /**
   * Whether the files that differ are known. They are not for a copy that was taken over from
   * another program, of which no list was made.
   */
  namesFiles: boolean;
  /** Its directory. */
  path: AbsolutePathBuf;
  /** `name@marketplace`. */
  pluginId: string;
  /**
   * What no installation leaves behind (links, special files), and why something could not be
   * looked at.
   */
  problems: Array<Problem>;
  /**
   * The digest that was recorded when it was installed; null when nothing is recorded, as for a
   * copy of another program.
   */
  recordedDigest: string | null;
  /** Its version. */
  version: string;
};
