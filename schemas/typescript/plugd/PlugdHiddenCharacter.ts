// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdHiddenClass } from "./PlugdHiddenClass";

/** An invisible or misleading character in a text that a model reads. */
export type PlugdHiddenCharacter = {
  /** What kind of character it is. */
  class: PlugdHiddenClass;
  /** The character as `U+202E`. */
  codePoint: string;
  /** The column in characters, counted from 1. */
  column: number;
  /** The member that holds it, where it was written as an escape; omitted otherwise. */
  field?: string;
  /** The line, counted from 1. */
  line: number;
  /** The text, relative to the plugin. */
  path: string;
};
