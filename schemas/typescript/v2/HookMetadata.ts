// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { HookEventName } from "./HookEventName";
import type { HookSource } from "./HookSource";
import type { HookTrustStatus } from "./HookTrustStatus";

/** A hook. It runs only when it is enabled and trusted or managed. */
export type HookMetadata = {
  /**
   * From how many tokens on what it adds for the model is put aside; null for the default, 0
   * for never.
   */
  additionalContextLimit: number | null;
  /** What to write as `trusted_hash` below `hooks.state` to trust it as it is. */
  currentHash: string;
  /** Its place among all hooks. */
  displayOrder: number;
  /** Whether the configuration leaves it enabled. */
  enabled: boolean;
  /** Concerns environments of the reference: null. */
  environmentId: string | null;
  /** The event it waits for. */
  eventName: HookEventName;
  /** Whether the organisation prescribes it. */
  isManaged: boolean;
  /** Plugin, file, event, group and handler, joined by colons. Its state is stored under it. */
  key: string;
  /** A regular expression for the occasions it waits for; null for all. */
  matcher: string | null;
  /** The plugin that brings it, as `name@marketplace`. */
  pluginId: string | null;
  /** What brings it. */
  source: HookSource;
  /** The file it stands in. */
  sourcePath: AbsolutePathBuf;
  /** What to show while it runs. */
  statusMessage: string | null;
  /** How long it may take, in seconds. */
  timeoutSec: number;
  /** Whether it is trusted. */
  trustStatus: HookTrustStatus;
} & (
  /** It runs a command in a shell. */
  | {
    /** Whether nobody waits for it. */
    async: boolean;
    /** The command, with the plugin's directories put in. */
    command: string;
    handlerType: "command";
  }
  /** It calls a tool of an MCP server. */
  | {
    handlerType: "mcpTool";
    /** The server. */
    server: string;
    /** The tool. */
    tool: string;
  }
  /** It asks a model. No such hook is listed, because none runs. */
  | {
    handlerType: "prompt";
  }
  /** It starts an agent. No such hook is listed, because none runs. */
  | {
    handlerType: "agent";
  });
