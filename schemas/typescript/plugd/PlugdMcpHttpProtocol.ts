// Generated from the protocol of plugd. Changes are overwritten.

/** The protocols over HTTP. */
export type PlugdMcpHttpProtocol =
  /** Streamable HTTP. */
  | "streamableHttp"
  /** The older one with two endpoints. */
  | "sse";
