// Generated from the protocol of plugd. Changes are overwritten.

/** What went wrong, as one stable word. */
export type ErrorKind =
  /** The message is not JSON. Code -32700. */
  | "parse"
  /** The message is JSON and no request, or it is larger or deeper than the limits. Code -32600. */
  | "invalidRequest"
  /** A request came before `initialize`. Code -32600. */
  | "notInitialized"
  /** A second `initialize`. Code -32600. */
  | "alreadyInitialized"
  /** The method is not known, or not built yet. Code -32601. */
  | "methodNotFound"
  /** The params have a missing member, a wrong type or a value outside its set. Code -32602. */
  | "invalidParams"
  /** The params have the right form and still cannot be meant. Code -32600. */
  | "invalidInput"
  /** The plugin, marketplace or file is not there. Code -32600. */
  | "notFound"
  /** Policy, a missing login or a feature that is switched off forbids it. Code -32600. */
  | "notAllowed"
  /**
   * It may come only after the user has said yes to exactly that content, with `plugd/approve`.
   * Code -32600.
   */
  | "approvalNeeded"
  /** Its commit is younger than is asked for. Code -32600. */
  | "commitTooYoung"
  /** Something else holds or has changed what was to be changed. Code -32600. */
  | "conflict"
  /** The network or a remote service did not answer. Code -32600. */
  | "unavailable"
  /** The fault is here: a bug, the disk, or a state file. Code -32603. */
  | "internal"
  /** Too many requests are waiting. Code -32001. */
  | "overloaded"
  /** The client cancelled the request, or the end of the connection did. Code -32800. */
  | "cancelled";
