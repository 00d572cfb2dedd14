// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `marketplace/add`. */
export type MarketplaceAddParams = {
  /** The branch or tag; it wins over one in `source`. Only for git. */
  refName?: string | null;
  /** A directory, a git URL, or `owner/repo` on GitHub. `#ref` behind it names a branch or tag. */
  source: string;
  /** The directories to check out. Only for git. */
  sparsePaths?: Array<string> | null;
};
