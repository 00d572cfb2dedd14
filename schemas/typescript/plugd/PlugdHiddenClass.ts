// Generated from the protocol of plugd. Changes are overwritten.

/** The kinds of invisible and misleading characters. */
export type PlugdHiddenClass =
  /** It turns the direction of writing, so that text is shown in another order than it is read. */
  | "bidirectional"
  /** It has no width. */
  | "zeroWidth"
  /** A letter of the alphabet of tags, which is invisible and which models can read. */
  | "tag"
  /** It chooses among pictures of the character in front of it; a row of them can carry data. */
  | "variationSelector"
  /** An invisible operator, filler or other format character. */
  | "invisible"
  /** A control character. */
  | "control"
  /** A line or paragraph separator, which many editors show as nothing. */
  | "separator"
  /** It has no agreed meaning at all. */
  | "privateUse";
