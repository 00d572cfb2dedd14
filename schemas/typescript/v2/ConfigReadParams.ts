// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `config/read`. */
export type ConfigReadParams = {
  /** The directory whose project layers count; absent means none. */
  cwd?: string | null;
  /** Whether to answer the layers too. */
  includeLayers?: boolean | null;
};
