// Generated from the protocol of plugd. Changes are overwritten.
import type { HookEventName } from "../v2/HookEventName";
import type { PlugdInspectedHandler } from "./PlugdInspectedHandler";

/** A hook that a plugin declares. */
export type PlugdInspectedHook = {
  /** The event it waits for. */
  eventName: HookEventName;
  /** What it does. */
  handler: PlugdInspectedHandler;
  /** Plugin, file, event, group and handler, joined by colons. */
  key: string;
  /** A regular expression for the occasions it waits for; null for all. */
  matcher: string | null;
  /** Why no host runs it, whoever trusts it; null for one that can run. */
  obstacle: string | null;
};
