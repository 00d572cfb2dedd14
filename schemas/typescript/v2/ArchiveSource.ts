// Generated from the protocol of plugd. Changes are overwritten.

/** An archive behind an address. */
export type ArchiveSource = {
  /** What the archive must hash to: `sha256:…`. */
  digest: string;
  /** The address. */
  url: string;
};
