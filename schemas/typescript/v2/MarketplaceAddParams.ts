// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `marketplace/add`. */
export type MarketplaceAddParams = {
  /** The branch, tag or commit; it wins over one in `source`. Only for git. */
  refName?: string | null;
  /**
   * A directory, a git address (`https://`, `ssh://`, `git@host:path`, `file://`, `http://` to
   * this machine, the path of a bare repository), or `owner/repo` on GitHub. `#ref` behind it
   * names a branch, tag or commit, and `@ref` does so behind `owner/repo` and `git@host:path`.
   * An address that holds a password is refused. Not in the reference: an artifact of an OCI
   * registry, as `oci://host/repository:tag` with `@sha256:` or without, and the `https://`
   * address of an archive, which ends in `.tar.gz`, `.tgz` or `.tar`, or has `#sha256=` behind
   * it.
   */
  source: string;
  /** The directories to check out. Only for git. */
  sparsePaths?: Array<string> | null;
};
