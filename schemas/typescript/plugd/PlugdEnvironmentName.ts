// Generated from the protocol of plugd. Changes are overwritten.

/** An environment variable that a plugin looks at. */
export type PlugdEnvironmentName = {
  /** Its name. */
  name: string;
  /**
   * Some of what looks at it: `mcp:` and a server, `hook:` and a key, or a path relative to the
   * plugin.
   */
  readers: Array<string>;
};
