// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PluginSummary } from "./PluginSummary";

/** A plugin that was found. */
export type PluginSearchResult = {
  /** The marketplace it is offered by. */
  marketplaceName: string;
  /** The file of that marketplace; null for a remote one. */
  marketplacePath: AbsolutePathBuf | null;
  /** The row that a listing shows. */
  plugin: PluginSummary;
};
