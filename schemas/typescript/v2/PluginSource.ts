// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { ArchiveSource } from "./ArchiveSource";
import type { OciSource } from "./OciSource";

/** Where the content of a plugin comes from. */
export type PluginSource =
  /** A directory of this machine. */
  | {
    /** The directory. */
    path: AbsolutePathBuf;
    type: "local";
  }
  /** A git repository. */
  | {
    /** The directory inside it; null for its root. */
    path: string | null;
    /** The branch or tag; null for the default one. */
    refName: string | null;
    /** The commit, where one is named. */
    sha: string | null;
    type: "git";
    /** Its URL. */
    url: string;
  }
  /** A package of an npm registry. */
  | {
    /** Its name. */
    package: string;
    /** The registry's URL; null for the default one. */
    registry: string | null;
    type: "npm";
    /** The version or range. */
    version: string | null;
  }
  /**
   * Elsewhere, and not by git or npm: the remote catalog, which alone knows where from, or the
   * place that one of the members names.
   */
  | {
    /** An archive behind an address. */
    archive?: ArchiveSource;
    /** An artifact of an OCI registry. */
    oci?: OciSource;
    type: "remote";
  };
