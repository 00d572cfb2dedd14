// Generated from the protocol of plugd. Changes are overwritten.

/** A place in a text. */
export type TextPosition = {
  /** The column in characters, counted from 1. */
  column: number;
  /** The line, counted from 1. */
  line: number;
};
