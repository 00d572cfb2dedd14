// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdMcpHttpProtocol } from "./PlugdMcpHttpProtocol";

/** How an MCP server is reached. */
export type PlugdMcpTransport =
  /** A process that speaks over its standard streams. */
  | {
    /** Its arguments. */
    args: Array<string>;
    /** The program: an absolute path, or a name to be looked up in `PATH`. */
    command: string;
    /** Where it starts; null leaves that to the host. */
    cwd: AbsolutePathBuf | null;
    /** Variables that it gets, those with the plugin's directories included. */
    env: { [key in string]?: string };
    /** Names of the user's variables that it gets with their values. */
    envVars: Array<string>;
    type: "stdio";
  }
  /** A server in the network. */
  | {
    /** The user's variable that holds a bearer token. */
    bearerTokenEnvVar: string | null;
    /** Headers whose values are those of the user's variables: the variable by the header. */
    envHeaders: { [key in string]?: string };
    /** Headers with fixed values. */
    headers: { [key in string]?: string };
    /**
     * A command line for a shell that prints more headers before each connection; null for
     * none.
     */
    headersHelper: string | null;
    /** Which of the protocols over HTTP to try first. */
    protocol: PlugdMcpHttpProtocol;
    type: "http";
    /** Its address. */
    url: string;
  };
