// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `marketplace/remove`. */
export type MarketplaceRemoveParams = {
  /** Its name, spelled as it is configured. */
  marketplaceName: string;
  /**
   * Whether to uninstall the plugins that would have no marketplace any more. Not in the
   * reference.
   */
  removePlugins?: boolean | null;
};
