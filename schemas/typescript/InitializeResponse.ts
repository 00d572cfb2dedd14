// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "./AbsolutePathBuf";
import type { ServerCapabilities } from "./plugd/ServerCapabilities";
import type { ServerInfo } from "./plugd/ServerInfo";

/** Result of `initialize`. */
export type InitializeResponse = {
  /** What this server can do. Not in the reference. */
  capabilities: ServerCapabilities;
  /** The home directory that everything is about. */
  codexHome: AbsolutePathBuf;
  /** `unix` or `windows`. */
  platformFamily: string;
  /** `linux`, `macos` or `windows`. */
  platformOs: string;
  /** Who answers. Not in the reference. */
  serverInfo: ServerInfo;
  /**
   * Begins with the client's name, a slash and the version of the reference that this server is
   * compatible with. Its own version stands in `serverInfo`.
   */
  userAgent: string;
};
