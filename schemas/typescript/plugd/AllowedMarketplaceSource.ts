// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** A rule that allows sources of marketplaces. */
export type AllowedMarketplaceSource =
  /** One git repository. */
  | {
    /** The only branch or tag; null for any. */
    refName: string | null;
    type: "git";
    /** Its URL. */
    url: string;
  }
  /** All git repositories of some hosts. */
  | {
    /** A regular expression for the host's name in lower case. */
    hostPattern: string;
    type: "hostPattern";
  }
  /** One directory. */
  | {
    /** The directory. */
    path: AbsolutePathBuf;
    type: "local";
  };
