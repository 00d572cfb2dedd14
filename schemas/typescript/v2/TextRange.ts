// Generated from the protocol of plugd. Changes are overwritten.
import type { TextPosition } from "./TextPosition";

/** A part of a text. */
export type TextRange = {
  /** Where it ends. */
  end: TextPosition;
  /** Where it begins. */
  start: TextPosition;
};
