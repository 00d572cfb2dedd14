// Generated from the protocol of plugd. Changes are overwritten.
import type { HookEventName } from "./HookEventName";

/** A hook that a plugin declares. */
export type PluginHookSummary = {
  /** The event it waits for. */
  eventName: HookEventName;
  /** Plugin, file, event, group and handler, joined by colons. */
  key: string;
};
