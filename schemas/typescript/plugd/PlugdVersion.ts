// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdBoundTo } from "./PlugdBoundTo";
import type { PlugdInstalledBy } from "./PlugdInstalledBy";
import type { PlugdReplaced } from "./PlugdReplaced";
import type { PlugdVersionState } from "./PlugdVersionState";
import type { PluginBinding } from "./PluginBinding";

/**
 * A version of a plugin on this machine. What was not recorded, as for a copy of another
 * program, is null.
 */
export type PlugdVersion = {
  /** What kind of marketplace that was. */
  boundTo: PlugdBoundTo | null;
  /** Who installed it. */
  by: PlugdInstalledBy | null;
  /**
   * What the source meant: the commit for git, the exact version for a registry, the digest of
   * the archive for the remote catalog.
   */
  commit: string | null;
  /** When it was installed, in seconds since 1970. */
  installedAt: number | null;
  /** Where it came from. */
  origin: PluginBinding | null;
  /** Its directory. */
  path: AbsolutePathBuf;
  /** Whether the pin names it. */
  pinned: boolean;
  /** Whether `plugd/rollback` without `to` brings it back. */
  predecessor: boolean;
  /** What stood in its place before; null when nothing did, or nobody knows. */
  replaced: PlugdReplaced | null;
  /** When it was replaced, in seconds since 1970; null for the installed one. */
  replacedAt: number | null;
  /** The digest of what was copied from the source. */
  sourceDigest: string | null;
  /** Whether it is the one that is used. */
  state: PlugdVersionState;
  /** The digest of the copy, which names it in `plugd/rollback` and `plugd/pin`. */
  treeDigest: string | null;
  /** The version, which need not be a semantic one. */
  version: string;
};
