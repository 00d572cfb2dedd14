// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdUnknownMentionReason } from "./PlugdUnknownMentionReason";

/** Something that looks like a mention and leads to no text. */
export type PlugdUnknownMention = {
  /** Ids of the plugins that may be meant. */
  candidates: Array<string>;
  /** As it was written. */
  mention: string;
  /** A text for people. */
  message: string;
  /** Why it leads to nothing. */
  reason: PlugdUnknownMentionReason;
};
