// Generated from the protocol of plugd. Changes are overwritten.

/** The events that hooks wait for. */
export type HookEventName =
  /** Before a request to the model. */
  | "preModelRequest"
  /** After a request to the model. */
  | "postModelRequest"
  /** Before a tool runs. */
  | "preToolUse"
  /** When a permission is asked for. */
  | "permissionRequest"
  /** After a tool ran. */
  | "postToolUse"
  /** Before a conversation is shortened. */
  | "preCompact"
  /** After a conversation was shortened. */
  | "postCompact"
  /** At the start of a session. */
  | "sessionStart"
  /** At the end of a session. */
  | "sessionEnd"
  /** When a person sends a prompt. */
  | "userPromptSubmit"
  /** When a sub-agent starts. */
  | "subagentStart"
  /** When a sub-agent stops. */
  | "subagentStop"
  /** When the agent stops. */
  | "stop"
  /** When a person interrupts. */
  | "interrupt";
