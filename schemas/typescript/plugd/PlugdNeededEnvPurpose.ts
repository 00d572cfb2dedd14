// Generated from the protocol of plugd. Changes are overwritten.

/** What a variable of the user is for. */
export type PlugdNeededEnvPurpose =
  /** Its value replaces `${NAME}`, or `${NAME:-default}`, in the member. */
  | "text"
  /** The process gets it under the same name. */
  | "passed"
  /** Its value is that of a header. */
  | "header"
  /** Its value is the bearer token. */
  | "bearerToken";
