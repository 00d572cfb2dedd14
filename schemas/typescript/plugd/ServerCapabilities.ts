// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdServerCapabilities } from "./PlugdServerCapabilities";

/** What this server can do, in the place where a language client looks for it. */
export type ServerCapabilities = {
  /** What there is beyond the language server protocol: everything. */
  plugd: PlugdServerCapabilities;
};
