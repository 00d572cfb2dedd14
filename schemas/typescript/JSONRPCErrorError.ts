// Generated from the protocol of plugd. Changes are overwritten.
import type { ErrorData } from "./plugd/ErrorData";

/** The `error` of a response. */
export type JSONRPCErrorError = {
  /** The number that JSON-RPC asks for. */
  code: number;
  /** What a program decides by; every error of this server has it. */
  data: ErrorData;
  /** A text for people. */
  message: string;
};
