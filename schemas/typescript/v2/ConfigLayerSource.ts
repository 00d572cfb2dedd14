// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** Where a layer comes from. */
export type ConfigLayerSource =
  /** Defaults that came with the program. */
  | {
    /** The file. */
    file: AbsolutePathBuf;
    type: "packagedDefaults";
  }
  /** Device management. This server never answers it. */
  | {
    /** The preference domain. */
    domain: string;
    /** The key in it. */
    key: string;
    type: "mdm";
  }
  /** The file of the machine. */
  | {
    /** The file, which need not exist. */
    file: AbsolutePathBuf;
    type: "system";
  }
  /** A layer that an organisation delivers. This server never answers it. */
  | {
    /** The id. */
    id: string;
    /** The name for people. */
    name: string;
    type: "enterpriseManaged";
  }
  /** The user's file. */
  | {
    /** The file, which need not exist. */
    file: AbsolutePathBuf;
    /** The profile, where the layer is one. */
    profile: string | null;
    type: "user";
  }
  /** The folder of a project. */
  | {
    /** The folder. */
    dotCodexFolder: AbsolutePathBuf;
    type: "project";
  }
  /** The command line. */
  | {
    type: "sessionFlags";
  }
  /** The managed file that wins over everything else. */
  | {
    /** The file. */
    file: AbsolutePathBuf;
    type: "legacyManagedConfigTomlFromFile";
  }
  /** The same from device management. This server never answers it. */
  | {
    type: "legacyManagedConfigTomlFromMdm";
  };
