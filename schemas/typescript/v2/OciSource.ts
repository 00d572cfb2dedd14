// Generated from the protocol of plugd. Changes are overwritten.

/** An artifact of an OCI registry. */
export type OciSource = {
  /** The digest, where one is named: `sha256:…`. */
  digest: string | null;
  /** The tag; null where the digest alone counts, or `latest`. */
  tag: string | null;
  /** Host and repository: `oci://host/repository`. */
  url: string;
};
