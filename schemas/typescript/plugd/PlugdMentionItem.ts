// Generated from the protocol of plugd. Changes are overwritten.

/** A part of what a person sends. */
export type PlugdMentionItem = {
  /** What a `mention` is called; any text. */
  name?: string | null;
  /** What a `mention` is about, such as `plugin://name@marketplace`. */
  path?: string | null;
  /** The text of a `text`. */
  text?: string | null;
  /** `text`, `mention` or something else. */
  type: string;
};
