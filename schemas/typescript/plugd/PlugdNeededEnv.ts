// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdNeededEnvPurpose } from "./PlugdNeededEnvPurpose";

/** A variable of the user that an MCP server wants. */
export type PlugdNeededEnv = {
  /** What the plugin wants in its place when it is not set. */
  default: string | null;
  /** The member that wants it, such as `env.TOKEN` or `args[1]`. */
  member: string;
  /** Its name. */
  name: string;
  /** What it is for. */
  purpose: PlugdNeededEnvPurpose;
};
