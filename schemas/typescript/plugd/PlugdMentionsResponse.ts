// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdMention } from "./PlugdMention";
import type { PlugdUnknownMention } from "./PlugdUnknownMention";

/** Result of `plugd/mentions`. */
export type PlugdMentionsResponse = {
  /** The plugins that were mentioned and have something to say, each once, by id. */
  mentions: Array<PlugdMention>;
  /** What looks like a mention and leads to no text, in the order of the input. */
  unknown: Array<PlugdUnknownMention>;
};
