// Generated from the protocol of plugd. Changes are overwritten.

/** Who answers. */
export type ServerInfo = {
  /** Always `plugd`. */
  name: string;
  /** The version of the program. */
  version: string;
};
