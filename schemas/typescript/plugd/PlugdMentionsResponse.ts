// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdMention } from "./PlugdMention";
import type { PlugdUnknownMention } from "./PlugdUnknownMention";
import type { Problem } from "./Problem";

/** Result of `plugd/mentions`. */
export type PlugdMentionsResponse = {
  /** The plugins that were mentioned and have something to say, each once, by id. */
  mentions: Array<PlugdMention>;
  /** What of the configuration cannot be used, so that a plugin may be missing. */
  problems: Array<Problem>;
  /** What looks like a mention and leads to no text, in the order of the input. */
  unknown: Array<PlugdUnknownMention>;
};
