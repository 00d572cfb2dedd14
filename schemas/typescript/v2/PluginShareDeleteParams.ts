// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugin/share/delete`. */
export type PluginShareDeleteParams = {
  /** The share to withdraw. Its directory on this machine stays. */
  remotePluginId: string;
};
