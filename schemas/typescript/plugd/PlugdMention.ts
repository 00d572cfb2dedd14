// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdMentionPart } from "./PlugdMentionPart";

/** A plugin that was mentioned. */
export type PlugdMention = {
  /** Its name for people. */
  displayName: string;
  /** The lines of that text one by one, for a host that puts them together itself. */
  parts: Array<PlugdMentionPart>;
  /** `name@marketplace`. */
  pluginId: string;
  /** What to tell the model, behind the message of the person. */
  text: string;
};
