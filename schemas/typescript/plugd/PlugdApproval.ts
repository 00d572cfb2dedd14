// Generated from the protocol of plugd. Changes are overwritten.

/** A yes. */
export type PlugdApproval = {
  /** Whether it may come however young its commit is. */
  anyAge: boolean;
  /** When it was given, in seconds since the epoch. */
  approvedAt: number;
  /** Who gave it. */
  by: string | null;
  /** The content. */
  digest: string;
  /** `name@marketplace`. */
  pluginId: string;
  /**
   * Where it has to come from: `manifest:PATH`, `git:URL`, `git:URL#REF`, `curated` or
   * `remote`.
   */
  source: string;
};
