// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Params of `plugd/import`. */
export type PlugdImportParams = {
  /** Only tell what would change. The archive is unpacked and checked all the same. */
  dryRun?: boolean | null;
  /** The archive. */
  path: AbsolutePathBuf;
  /**
   * What its SHA-256 has to be, in 64 hexadecimal digits, also with `sha256:` in front. Another
   * archive is refused before it is unpacked.
   */
  sha256?: string | null;
  /**
   * Follow it also where a lock or the user has pinned something else, or a plugin is installed
   * from another marketplace of the same name.
   */
  switch?: boolean | null;
};
