// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `hooks/list`. */
export type HooksListParams = {
  /** The directories to look from. Absent or empty means the server's own. */
  cwds?: Array<string> | null;
  /** A conversation of the reference. This server has none, so it finds none. */
  threadId?: string | null;
};
