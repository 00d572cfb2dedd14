// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdMentionItem } from "./PlugdMentionItem";

/** Params of `plugd/mentions`: `text`, `items` or both. */
export type PlugdMentionsParams = {
  /** The directory that the host works in. */
  cwd?: AbsolutePathBuf | null;
  /**
   * The input as clients of the reference send it; items of other types than `text` and
   * `mention` are passed over.
   */
  items?: Array<PlugdMentionItem> | null;
  /**
   * What a person wrote. `[@label](plugin://name@marketplace)` mentions a plugin, and so does
   * its name for people behind an `@`.
   */
  text?: string | null;
};
