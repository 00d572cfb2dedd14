// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { HookEventName } from "../v2/HookEventName";
import type { HookTrustStatus } from "../v2/HookTrustStatus";
import type { PlugdHookHandler } from "./PlugdHookHandler";

/** A hook of a plugin. */
export type PlugdHook = {
  /**
   * From how many tokens on what it adds for the model is put aside; null for the default, 0
   * for never.
   */
  additionalContextLimit: number | null;
  /** What to write as `trusted_hash` below `hooks.state` to trust it as it is. */
  currentHash: string;
  /** Whether the configuration leaves it enabled. */
  enabled: boolean;
  /** The event it waits for. */
  eventName: HookEventName;
  /** What it does. */
  handler: PlugdHookHandler;
  /** Plugin, file, event, group and handler, joined by colons. Its state is stored under it. */
  key: string;
  /** A regular expression for the occasions it waits for; null for all. */
  matcher: string | null;
  /** That plugin's name for people. */
  pluginDisplayName: string;
  /** The plugin that brings it. */
  pluginId: string;
  /** Whether a host runs it: it is enabled, and trusted or managed. */
  runs: boolean;
  /** The file it stands in; null when the entry of the marketplace declares it. */
  sourcePath: AbsolutePathBuf | null;
  /** What to show while it runs. */
  statusMessage: string | null;
  /** How long it may take, in seconds. */
  timeoutSec: number;
  /** Whether it is trusted. */
  trustStatus: HookTrustStatus;
  /** That plugin's version. */
  version: string;
};
