// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `plugin/share/checkout`. */
export type PluginShareCheckoutParams = {
  /**
   * The share to make a working copy of. It must be shared with this account, not published to
   * everybody.
   */
  remotePluginId: string;
};
