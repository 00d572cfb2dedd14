// Generated from the protocol of plugd. Changes are overwritten.

/** How an MCP server is reached, as it is written. */
export type PlugdInspectedTransport =
  /** A process. */
  | {
    /** Its arguments. */
    args: Array<string>;
    /** The program. */
    command: string;
    /** Where it starts. */
    cwd: string | null;
    /** Names of variables that it gets, sorted. */
    env: Array<string>;
    type: "stdio";
  }
  /** A server in the network. */
  | {
    /** Names of headers that it gets, sorted. */
    headers: Array<string>;
    /** A command line for a shell that prints more of them; null for none. */
    headersHelper: string | null;
    type: "http";
    /** Its address. */
    url: string;
  };
