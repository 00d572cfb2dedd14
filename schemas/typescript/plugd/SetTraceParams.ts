// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `$/setTrace`. */
export type SetTraceParams = {
  /** `off`, `messages` or `verbose`. */
  value: string;
};
