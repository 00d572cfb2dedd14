// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdHeldBack } from "./PlugdHeldBack";
import type { PlugdLinked } from "./PlugdLinked";

/** A plugin that counts. */
export type PlugdComponentPlugin = {
  /** The directory for its own data. It need not exist. */
  data: AbsolutePathBuf;
  /** What it is, in the words of its author. */
  description: string | null;
  /** Its name for people; its plain name when it has no other. */
  displayName: string;
  /**
   * What of it is left out of this answer, because `[trust]` asks for a yes that nobody has
   * given. Omitted when nothing is.
   */
  heldBack?: PlugdHeldBack;
  /** The working tree that stands in for it, which may change at any time, with a lease too. */
  linked: PlugdLinked | null;
  /** `name@marketplace`. */
  pluginId: string;
  /** Its directory: with a lease one that nothing changes. */
  root: AbsolutePathBuf;
  /**
   * The digest of what is in it, `sha256:` and 64 hexadecimal digits; null when nobody knows
   * it.
   */
  treeDigest: string | null;
  /** The version that is installed. */
  version: string;
};
