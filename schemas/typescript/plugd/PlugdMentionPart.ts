// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdMentionPartKind } from "./PlugdMentionPartKind";

/** A line of the text about a plugin. */
export type PlugdMentionPart = {
  /** What it is about. */
  kind: PlugdMentionPartKind;
  /** The skills, servers or apps that it names. */
  names: Array<string>;
  /** The line. */
  text: string;
};
