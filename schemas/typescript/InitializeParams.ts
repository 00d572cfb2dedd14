// Generated from the protocol of plugd. Changes are overwritten.
import type { ClientInfo } from "./ClientInfo";
import type { InitializationOptions } from "./plugd/InitializationOptions";
import type { InitializeCapabilities } from "./InitializeCapabilities";

/**
 * Params of `initialize`. Members of the language server protocol that are not named here are
 * accepted and ignored.
 */
export type InitializeParams = {
  /** What the client can do and wants. */
  capabilities?: InitializeCapabilities | null;
  /** Who speaks; its name begins the `userAgent`. */
  clientInfo?: ClientInfo | null;
  /**
   * The same wishes, in the place where a language client lets its user put them. Anything but
   * an object of this form counts as absent.
   */
  initializationOptions?: InitializationOptions | null;
};
